//! Extensions that change what a table is. Where a plan cannot be run because of them, compiling it says so.

use super::{Check, CheckFinding};
use crossfade_plan::product::{Product, Reach};

/// An extension of this kind, by its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Installed {
    pub extension: String,
}

/// A table, and what such a product does with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Special {
    pub table: String,
    pub product: Product,
}

pub fn of_database(installed: &[Installed]) -> Vec<CheckFinding> {
    let check = Check::Products;
    if installed.is_empty() {
        let found = "no extension is installed that changes what a table is";
        return vec![CheckFinding::passed(check, found)];
    }
    let each = installed.iter().map(|Installed { extension }| {
        let found = format!(
            "the extension {extension} is installed: plans that fill its tables, or keep two sides in step, are refused"
        );
        CheckFinding::warning(check, found)
            .remedy("name the plan: `crossfade doctor PLAN` says it of the plan's tables")
    });
    each.collect()
}

/// That a plan is refused because of it is said by the plan's own check.
pub fn of_tables(special: &[Special]) -> Vec<CheckFinding> {
    let check = Check::Products;
    if special.is_empty() {
        let found = "the plan's tables are PostgreSQL's own";
        return vec![CheckFinding::passed(check, found)];
    }
    let each = special.iter().map(|Special { table, product }| {
        let found = format!("{table} {}", product.sentence());
        let finding = match product.reach() {
            Reach::Unknown => CheckFinding::unknown(check, found),
            Reach::RowsElsewhere | Reach::PastTriggers | Reach::SentOn => {
                CheckFinding::warning(check, found)
            }
        };
        finding.remedy(product.help())
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    #[test]
    fn what_cannot_be_told_is_unknown() {
        let special = |product| Special {
            table: "public.t".to_owned(),
            product,
        };
        let verdict = |product| of_tables(&[special(product)])[0].verdict;
        assert_eq!(verdict(Product::CitusDistributed), Verdict::Warning);
        let unreadable = Product::Unreadable {
            product: "Citus",
            why: "no right".to_owned(),
        };
        assert_eq!(verdict(unreadable), Verdict::Unknown);
        assert_eq!(of_tables(&[])[0].verdict, Verdict::Passed);
        let citus = Installed {
            extension: "citus".to_owned(),
        };
        assert_eq!(of_database(&[citus])[0].verdict, Verdict::Warning);
        assert_eq!(of_database(&[])[0].verdict, Verdict::Passed);
    }
}
