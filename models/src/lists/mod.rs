//! One map, three lists (一图三清单), and what is made from them: risk list (风险清单), responsibility list (责任清单), measures list
//! (措施清单), loss fast report (灾情快报), pages of warning prompt sheets (预警提示单).
//!
//! | file | holds |
//! | --- | --- |
//! | `standards` | levels, exposure, hotspots, roles as data |
//! | `entry` | an entry of the risk list, ranking |
//! | `hotspot` | clusters of deep cells where people live (一点一策) |
//! | `responsible` | the user's persons, joined to objects; missing ones told, none made up |
//! | `measures` | measures by hazard, level and object |
//! | `fast_report` | the fields of a loss report with totals that add up; beside a reported table |
//! | `prompt` | levels, depths and lengths of prompt sheets and township sheets |
//! | `card` | what a card for the people below a hidden-danger site says (明白卡) |
//! | `page` | pages of text and tables as SVG |

pub mod card;
pub mod entry;
pub mod fast_report;
pub mod hotspot;
pub mod measures;
pub mod page;
pub mod prompt;
pub mod responsible;
pub mod standards;

pub use card::CardTable;
pub use entry::{Kind, RiskEntry, rank};
pub use hotspot::{Hotspot, HotspotInput, hotspots};
pub use measures::{Measure, Measures};
pub use prompt::PromptRules;
pub use responsible::{Assignment, Person, assign, read_persons};
pub use standards::ListRules;
