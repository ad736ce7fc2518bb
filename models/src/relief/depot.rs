//! Depots, travel times, and the allocation of reserves to depots by travel time.

/// A depot (救灾物资储备库) or a candidate site.
#[derive(Debug, Clone, PartialEq)]
pub struct Depot {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// x in the compute CRS, m.
    pub x: f64,
    /// y in the compute CRS, m.
    pub y: f64,
    /// Room for goods, m³.
    pub capacity_m3: f64,
    /// Stock in units, one per item of the profile.
    pub stock: Vec<f64>,
}

/// Loading time, detour factor and speed that turn distances into minutes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Travel {
    /// Minutes to load.
    pub loading_min: f64,
    /// Road length over straight line.
    pub detour: f64,
    /// Speed, km/h.
    pub speed_km_h: f64,
}

impl Travel {
    /// Minutes over a straight-line distance in metres.
    pub fn minutes(&self, distance_m: f64) -> f64 {
        self.loading_min + distance_m / 1000.0 * self.detour / self.speed_km_h * 60.0
    }
}

/// A quantity of one item that a depot holds for a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// Index of the unit.
    pub unit: usize,
    /// Index of the depot; `None` where no depot within the deadline has room left.
    pub depot: Option<usize>,
    /// Index of the item.
    pub item: usize,
    /// Quantity, units.
    pub quantity: f64,
    /// Travel time, minutes; 0 where there is no depot.
    pub minutes: f64,
}

/// Gives every unit's reserve of every item to the depots nearest in time that meet the item's deadline and have room.
///
/// Pairs are served in order of (item deadline, travel time, item, unit, depot), so the result is unique. What finds no
/// room is returned with `depot: None`: nothing is lost.
///
/// # Arguments
/// * `reserves` - `[unit][item]`, units
/// * `minutes` - `[unit][depot]`
/// * `volume_m3`, `deadline_h` - per item
pub fn allocate(
    reserves: &[Vec<f64>],
    minutes: &[Vec<f64>],
    capacity_m3: &[f64],
    volume_m3: &[f64],
    deadline_h: &[f64],
) -> Vec<Allocation> {
    let mut left: Vec<Vec<f64>> = reserves.to_vec();
    let mut room = capacity_m3.to_vec();
    let mut pairs: Vec<(usize, usize, usize)> = Vec::new();
    for item in 0..volume_m3.len() {
        for (unit, times) in minutes.iter().enumerate() {
            for (depot, &t) in times.iter().enumerate() {
                if t <= deadline_h[item] * 60.0 {
                    pairs.push((item, unit, depot));
                }
            }
        }
    }
    pairs.sort_by(|&(i, u, d), &(j, v, e)| {
        deadline_h[i]
            .total_cmp(&deadline_h[j])
            .then(minutes[u][d].total_cmp(&minutes[v][e]))
            .then((i, u, d).cmp(&(j, v, e)))
    });
    let mut out = Vec::new();
    for (item, unit, depot) in pairs {
        let fits = room[depot] / volume_m3[item].max(1e-12);
        let quantity = left[unit][item].min(fits);
        if quantity <= 0.0 {
            continue;
        }
        left[unit][item] -= quantity;
        room[depot] = (room[depot] - quantity * volume_m3[item]).max(0.0);
        out.push(Allocation {
            unit,
            depot: Some(depot),
            item,
            quantity,
            minutes: minutes[unit][depot],
        });
    }
    for (unit, items) in left.iter().enumerate() {
        for (item, &quantity) in items.iter().enumerate() {
            if quantity > 0.0 {
                out.push(Allocation {
                    unit,
                    depot: None,
                    item,
                    quantity,
                    minutes: 0.0,
                });
            }
        }
    }
    out.sort_by_key(|a| (a.unit, a.item, a.depot.map_or(usize::MAX, |d| d)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_depot_serves_first_and_nothing_is_lost() {
        let reserves = vec![vec![10.0, 100.0], vec![10.0, 0.0]];
        let minutes = vec![vec![30.0, 90.0], vec![60.0, 20.0]];
        // Tents of 1 m³ within 3 h, water of 0.1 m³ within 1 h.
        let plan = allocate(&reserves, &minutes, &[8.0, 30.0], &[1.0, 0.1], &[3.0, 1.0]);
        let given: f64 = plan
            .iter()
            .filter(|a| a.item == 0)
            .map(|a| a.quantity)
            .sum();
        assert_eq!(given, 20.0);
        // Water comes first (shorter deadline): only depot 0 is within an hour and holds 80.
        let water: Vec<_> = plan.iter().filter(|a| a.item == 1).collect();
        assert_eq!((water[0].depot, water[0].quantity), (Some(0), 80.0));
        assert_eq!((water[1].depot, water[1].quantity), (None, 20.0));
        // All tents then go to depot 1.
        assert!(
            plan.iter()
                .filter(|a| a.item == 0)
                .all(|a| a.depot == Some(1))
        );
    }
}
