//! Zoning (区划): places joined to zones of like risk that hang together and are large enough.
//!
//! SKATER: the cheapest spanning tree of the neighbourhood graph, cost = distance between the places' features; then the
//! tree is cut where a cut takes most from the sum of squares within the zones, as long as both parts keep the least area.
//! Parts of the region without a common border (islands) hang together across the shortest distance between centres.
//!
//! # References
//! Assunção, Neves, Câmara, da Costa Freitas (2006), Efficient regionalization techniques for socio-economic geographical
//! units using minimum spanning trees, IJGIS 20(7), doi:10.1080/13658810600665111.

use serde::{Deserialize, Serialize};

/// The file `standards/zoning.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoningRule {
    /// Where the rule comes from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// Least area of a zone as a share of the region, 0..=1.
    pub least_area_share: f64,
    /// Least area of a zone, km².
    pub least_area_km2: f64,
    /// Most zones.
    pub most_zones: usize,
    /// Least share of the variance that a further zone must explain.
    pub least_gain: f64,
    /// Standard deviations above the mean from which a hazard leads a zone.
    pub leading_from: f64,
    /// Chinese name of a zone: `{hazards}`, `{grade}`.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Chinese name of a zone that no hazard leads.
    pub plain_zh: String,
    /// English name.
    pub plain_en: String,
}

impl ZoningRule {
    /// The compiled-in file.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn builtin() -> Self {
        toml::from_str(include_str!("../../standards/zoning.toml"))
            .expect("the compiled-in rule is read by a test")
    }
}

/// Places as zoning sees them; all slices have one entry per place.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// Features of each place, all of the same number and scale.
    pub features: &'a [Vec<f64>],
    /// Areas, km².
    pub area_km2: &'a [f64],
    /// Centres, m.
    pub centres: &'a [(f64, f64)],
    /// Pairs of neighbours, the smaller number first.
    pub neighbours: &'a [(u32, u32)],
}

/// Zones.
#[derive(Debug, Clone, PartialEq)]
pub struct Zones {
    /// Zone of each place, from 0, in the order of the first place of each.
    pub zone: Vec<usize>,
    /// Number of zones.
    pub count: usize,
    /// Share of the sum of squares between places that the zones explain, 0..=1.
    pub explained: f64,
    /// Links without a common border.
    pub bridges: Vec<(u32, u32)>,
}

/// Pairs of labels that share a side of a cell, the smaller first, ascending; `u32::MAX` is no label. `labels` row by row.
pub fn neighbours(labels: &[u32], cols: usize) -> Vec<(u32, u32)> {
    let mut pairs = std::collections::BTreeSet::new();
    let mut add = |a: u32, b: u32| {
        if a != b && a != u32::MAX && b != u32::MAX {
            pairs.insert((a.min(b), a.max(b)));
        }
    };
    for (i, &label) in labels.iter().enumerate() {
        if i % cols > 0 {
            add(labels[i - 1], label);
        }
        if i >= cols {
            add(labels[i - cols], label);
        }
    }
    pairs.into_iter().collect()
}

/// Joins places to zones. The result depends on nothing but the values: equal costs and gains go to the smaller numbers.
///
/// # Panics
/// Slices of different lengths.
pub fn zones(places: &Places<'_>, rule: &ZoningRule) -> Zones {
    let n = places.features.len();
    assert!(
        places.area_km2.len() == n && places.centres.len() == n,
        "one entry per place"
    );
    let (tree, bridges) = spanning_tree(places);
    let region: f64 = places.area_km2.iter().sum();
    let least = rule.least_area_km2.max(rule.least_area_share * region);
    let mut forest = Forest::new(n, &tree);
    let total = forest.spread(places, 0).2;
    let mut cuts: Vec<Option<Cut>> = vec![forest.best_cut(places, 0, least)];
    let mut within = total;
    while forest.roots.len() < rule.most_zones {
        let best = cuts
            .iter()
            .enumerate()
            .filter_map(|(z, c)| c.map(|c| (z, c)))
            .reduce(|a, b| if b.1.gain > a.1.gain { b } else { a });
        let Some((z, cut)) = best else { break };
        if cut.gain < rule.least_gain * total || cut.gain <= 0.0 {
            break;
        }
        forest.cut(z, cut.node);
        within -= cut.gain;
        cuts[z] = forest.best_cut(places, z, least);
        cuts.push(forest.best_cut(places, forest.roots.len() - 1, least));
    }
    let mut zone = vec![usize::MAX; n];
    for z in 0..forest.roots.len() {
        for node in forest.nodes(z) {
            zone[node] = z;
        }
    }
    // Numbered by the first place of each.
    let mut number = vec![usize::MAX; forest.roots.len()];
    let mut count = 0;
    for z in &mut zone {
        if number[*z] == usize::MAX {
            number[*z] = count;
            count += 1;
        }
        *z = number[*z];
    }
    Zones {
        zone,
        count,
        explained: if total > 0.0 {
            (1.0 - within / total).clamp(0.0, 1.0)
        } else {
            0.0
        },
        bridges,
    }
}

fn apart(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(x, y)| (x - y) * (x - y))
        .sum::<f64>()
        .sqrt()
}

/// Pairs of places.
type Links = Vec<(u32, u32)>;

/// Cheapest spanning tree (Kruskal), and the links added between parts without a common border.
fn spanning_tree(places: &Places<'_>) -> (Links, Links) {
    let n = places.features.len();
    let mut part: Vec<u32> = (0..n as u32).collect();
    fn root(part: &mut [u32], mut i: u32) -> u32 {
        while part[i as usize] != i {
            part[i as usize] = part[part[i as usize] as usize];
            i = part[i as usize];
        }
        i
    }
    let mut tree = Vec::with_capacity(n);
    let mut join = |mut edges: Vec<(f64, u32, u32)>, tree: &mut Vec<(u32, u32)>| {
        edges.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        for (_, a, b) in edges {
            let (ra, rb) = (root(&mut part, a), root(&mut part, b));
            if ra != rb {
                part[ra.max(rb) as usize] = ra.min(rb);
                tree.push((a, b));
            }
        }
        (0..n as u32)
            .map(|i| root(&mut part, i))
            .collect::<Vec<u32>>()
    };
    let costs = places.neighbours.iter().map(|&(a, b)| {
        let cost = apart(&places.features[a as usize], &places.features[b as usize]);
        (cost, a, b)
    });
    let parts = join(costs.collect(), &mut tree);
    let joined = tree.len();
    if joined + 1 < n {
        let mut across = Vec::new();
        for a in 0..n {
            for b in a + 1..n {
                if parts[a] != parts[b] {
                    let ((ax, ay), (bx, by)) = (places.centres[a], places.centres[b]);
                    across.push((apart(&[ax, ay], &[bx, by]), a as u32, b as u32));
                }
            }
        }
        join(across, &mut tree);
    }
    let bridges = tree[joined..].to_vec();
    (tree, bridges)
}

/// A tree per zone, each hung from its root.
struct Forest {
    links: Vec<Vec<usize>>,
    roots: Vec<usize>,
}

/// The best cut of a zone: above this node.
#[derive(Clone, Copy)]
struct Cut {
    node: (usize, usize),
    gain: f64,
}

impl Forest {
    fn new(n: usize, tree: &[(u32, u32)]) -> Self {
        let mut links = vec![Vec::new(); n];
        for &(a, b) in tree {
            links[a as usize].push(b as usize);
            links[b as usize].push(a as usize);
        }
        for l in &mut links {
            l.sort_unstable();
        }
        Forest {
            links,
            roots: vec![0],
        }
    }

    /// Nodes of a zone with their parents, parents before children.
    fn order(&self, zone: usize) -> Vec<(usize, usize)> {
        let root = self.roots[zone];
        let mut order = vec![(root, usize::MAX)];
        let mut at = 0;
        while at < order.len() {
            let (node, parent) = order[at];
            for &next in self.links[node].iter().filter(|&&x| x != parent) {
                order.push((next, node));
            }
            at += 1;
        }
        order
    }

    fn nodes(&self, zone: usize) -> Vec<usize> {
        self.order(zone).into_iter().map(|(node, _)| node).collect()
    }

    /// Number of places, sums of features, and sum of squares about their mean.
    fn spread(&self, places: &Places<'_>, zone: usize) -> (f64, Vec<f64>, f64) {
        let nodes = self.nodes(zone);
        let m = places.features[0].len();
        let mut sums = vec![0.0; m];
        for &node in &nodes {
            for (s, v) in sums.iter_mut().zip(&places.features[node]) {
                *s += v;
            }
        }
        let n = nodes.len() as f64;
        let squares = nodes
            .iter()
            .map(|&node| {
                places.features[node]
                    .iter()
                    .zip(&sums)
                    .map(|(v, s)| (v - s / n) * (v - s / n))
                    .sum::<f64>()
            })
            .sum();
        (n, sums, squares)
    }

    /// The cut that takes most from the sum of squares: between parts of n₁ and n₂ places with means m₁ and m₂ it takes
    /// n₁ n₂/(n₁ + n₂) |m₁ − m₂|².
    fn best_cut(&self, places: &Places<'_>, zone: usize, least: f64) -> Option<Cut> {
        let order = self.order(zone);
        let (n, all, _) = self.spread(places, zone);
        let area: f64 = order.iter().map(|(node, _)| places.area_km2[*node]).sum();
        let size = self.links.len();
        let m = all.len();
        let mut below = vec![(0.0_f64, 0.0_f64, vec![0.0; 0]); size];
        let mut best: Option<Cut> = None;
        for &(node, parent) in order.iter().rev() {
            let mut own = std::mem::take(&mut below[node]);
            own.2.resize(m, 0.0);
            own.0 += 1.0;
            own.1 += places.area_km2[node];
            for (s, v) in own.2.iter_mut().zip(&places.features[node]) {
                *s += v;
            }
            if parent != usize::MAX {
                let rest = n - own.0;
                if own.1 >= least && area - own.1 >= least {
                    let apart: f64 = own
                        .2
                        .iter()
                        .zip(&all)
                        .map(|(s, a)| {
                            let d = s / own.0 - (a - s) / rest;
                            d * d
                        })
                        .sum();
                    let gain = own.0 * rest / n * apart;
                    let better =
                        best.is_none_or(|b| gain > b.gain || (gain == b.gain && node < b.node.0));
                    if better {
                        best = Some(Cut {
                            node: (node, parent),
                            gain,
                        });
                    }
                }
                let up = &mut below[parent];
                up.2.resize(m, 0.0);
                up.0 += own.0;
                up.1 += own.1;
                for (s, v) in up.2.iter_mut().zip(&own.2) {
                    *s += v;
                }
            }
        }
        best
    }

    /// Cuts a node from its parent: the part below becomes the last zone.
    fn cut(&mut self, zone: usize, (node, parent): (usize, usize)) {
        self.links[node].retain(|&x| x != parent);
        self.links[parent].retain(|&x| x != node);
        debug_assert!(self.roots.len() > zone);
        self.roots.push(node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(area: f64, most: usize) -> ZoningRule {
        ZoningRule {
            least_area_share: 0.0,
            least_area_km2: area,
            most_zones: most,
            least_gain: 0.0,
            ..ZoningRule::builtin()
        }
    }

    /// A row of six places, 1 km² each: three low, one high, two low.
    #[test]
    fn zones_follow_the_values_and_hang_together() {
        let features: Vec<Vec<f64>> = [0.0, 0.1, 0.0, 5.0, 5.1, 0.0]
            .iter()
            .map(|v| vec![*v])
            .collect();
        let centres: Vec<(f64, f64)> = (0..6).map(|i| (f64::from(i), 0.0)).collect();
        let neighbours: Vec<(u32, u32)> = (0..5).map(|i| (i, i + 1)).collect();
        let places = Places {
            features: &features,
            area_km2: &[1.0; 6],
            centres: &centres,
            neighbours: &neighbours,
        };
        let three = zones(&places, &rule(1.0, 3));
        // The last place is like the first three, but does not touch them.
        assert_eq!(three.zone, [0, 0, 0, 1, 1, 2]);
        assert!(three.explained > 0.99 && three.bridges.is_empty());
        // Zones of 2 km² at least: the lone place stays with its neighbours.
        let two = zones(&places, &rule(2.0, 3));
        assert_eq!(two.zone, [0, 0, 0, 1, 1, 1]);
        let mut picky = rule(1.0, 6);
        picky.least_gain = 0.1;
        assert_eq!(zones(&places, &picky).count, 3);
    }

    #[test]
    fn islands_hang_on_across_the_shortest_way() {
        let features: Vec<Vec<f64>> = [0.0, 0.0, 0.2].iter().map(|v| vec![*v]).collect();
        let places = Places {
            features: &features,
            area_km2: &[10.0, 10.0, 1.0],
            centres: &[(0.0, 0.0), (10.0, 0.0), (13.0, 0.0)],
            neighbours: &[(0, 1)],
        };
        let found = zones(&places, &rule(5.0, 2));
        assert_eq!(found.bridges, [(1, 2)]);
        assert_eq!(found.zone[1], found.zone[2]);
    }

    #[test]
    fn neighbours_share_a_side() {
        let none = u32::MAX;
        let labels = [0, 0, 1, 2, none, 1, 2, 3, 3];
        assert_eq!(neighbours(&labels, 3), [(0, 1), (0, 2), (1, 3), (2, 3)]);
    }
}
