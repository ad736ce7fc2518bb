//! Relief planning (救灾物资储备): from people to goods, from goods to reserves, from reserves to depots.
//!
//! | file | holds |
//! | --- | --- |
//! | `norm` | needs per person by profile; demand of an event |
//! | `reserve` | reserve at a stated confidence with its interval, gap to stock, pooling gain |
//! | `depot` | depots, travel times, allocation of reserves to depots |
//! | `shelter` | shelters and their places |
//!
//! Optimal siting and stock under a budget is another room's work; this one is plain and exact.

pub mod depot;
pub mod norm;
pub mod reserve;
pub mod shelter;

pub use depot::{Allocation, Depot, Logistics, allocate, read_depots};
pub use norm::{Basis, Item, People, Profile, ReliefNorms};
pub use reserve::{Reserve, pooling_gain, reserve};
pub use shelter::{Shelter, read_shelters};
