//! The evaluation tables of DB3710/T 133-2021, annex A (informative), as scorecards: an estate
//! (A.2, table A.1), a property company (A.3, table A.2), a town and its communities (A.4, table
//! A.3), a district (A.5, table A.4).
//!
//! Points come from an answers file, by a named person with a date. Two items of table A.1 are
//! decided by the gateway's own assessment; beside others it only shows what it can evidence.
//! Nothing is invented: what is not answered counts as 0 and is listed, and how a rate becomes
//! points, which the standard does not say, comes from the answers file.
//!
//! The stars of A.2.4 (90, 80, 70 points) are those of the *red property* scale. They have fields,
//! names and a banner of their own and are never put where the smart-area stars of 7.5.1 stand.

mod answers;
mod card;
mod conversion;
mod evidence;
mod judge;
pub(in crate::starlevel) mod page;
mod points;
mod result;
mod score;
mod stars;
mod table;
mod template;
#[cfg(test)]
mod tests;
mod text;

pub use answers::{Answer, Answers, Deduction, Given, Said};
pub use card::{
    Band, Block, Card, CardFault, GatewayRole, Head, Item, Kind, Negative, Proof, Remark, Share,
    VariantRule, Variants,
};
pub use conversion::{Conversion, Percent, Step};
pub use evidence::fitting;
pub use points::Points;
pub use result::{
    AssessmentInfo, Claim, DeductionResult, Inferred, ItemResult, NegativeResult, Part,
    SCORECARD_VERSION, Scorecard, Shortfall, Source,
};
pub use score::score;
pub use stars::RedPropertyStars;
pub use table::{Table, Variant};
pub use template::template;
