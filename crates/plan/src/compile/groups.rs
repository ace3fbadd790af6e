//! Numbers the groups of a sync: columns that an expression connects, in either direction, are of one group.

use crate::compiled::{Assignment, Conversion};
use crossfade_model::ident::Ident;

/// Sets the `group` of every assignment, and takes for copies only those whose way back is one too: where the new side
/// is the old one's copy and the old side is not the new one's, a row need not have the same value on both.
pub(super) fn number(forward: &mut [Assignment], backward: &mut [Assignment]) {
    let mut sets: Vec<Vec<Ident>> = Vec::new();
    for assignment in forward.iter().chain(backward.iter()) {
        let mut joined = vec![assignment.target.name.clone()];
        joined.extend(assignment.reads.iter().map(|column| column.name.clone()));
        let (connected, others) = sets
            .into_iter()
            .partition(|set: &Vec<Ident>| set.iter().any(|column| joined.contains(column)));
        sets = others;
        joined.extend(connected.into_iter().flatten());
        sets.push(joined);
    }
    // In the order of the names, so that the same plan has the same numbers.
    for set in &mut sets {
        set.sort();
    }
    sets.sort();
    for assignment in forward.iter_mut().chain(backward.iter_mut()) {
        let number = sets
            .iter()
            .position(|set| set.contains(&assignment.target.name));
        assignment.group = number.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    }
    let copies: Vec<u32> = forward
        .iter()
        .filter(|one| is_copy_both_ways(one, forward, backward))
        .map(|one| one.group)
        .collect();
    for assignment in forward.iter_mut().chain(backward) {
        if assignment.conversion == Conversion::Copy && !copies.contains(&assignment.group) {
            assignment.conversion = Conversion::Widening;
        }
    }
}

fn is_copy_both_ways(one: &Assignment, forward: &[Assignment], backward: &[Assignment]) -> bool {
    let in_group = |other: &&Assignment| other.group == one.group;
    let mut back = backward.iter().filter(in_group);
    let comes_back = match (back.next(), back.next()) {
        (None, _) => true,
        (Some(back), None) => {
            back.conversion == Conversion::Copy
                && one
                    .reads
                    .iter()
                    .all(|source| source.name == back.target.name)
        }
        (Some(_), Some(_)) => false,
    };
    one.conversion == Conversion::Copy && comes_back && forward.iter().filter(in_group).count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{compiled::ColumnRef, document::Expression};

    fn assignment(target: &str, expression: &str, reads: &[&str]) -> Assignment {
        let column = |name: &str| ColumnRef {
            name: name.parse().unwrap(),
            type_name: "text".to_owned(),
            exact: true,
        };
        let expression = Expression::try_from(expression.to_owned()).unwrap();
        Assignment {
            target: column(target),
            conversion: match expression.as_column() {
                Some(_) => Conversion::Copy,
                None => Conversion::Expression,
            },
            expression,
            reads: reads.iter().map(|name| column(name)).collect(),
            group: 0,
        }
    }

    #[test]
    fn what_an_expression_connects_in_either_direction_is_one_group() {
        let mut forward = vec![
            assignment("c", "f(a)", &["a"]),
            assignment("d", "f(b)", &["b"]),
            assignment("e", "z", &["z"]),
        ];
        let mut backward = vec![
            assignment("a", "g(c)", &["c"]),
            assignment("b", "g(d)", &["d"]),
            assignment("z", "e", &["e"]),
        ];
        number(&mut forward, &mut backward);
        let groups = |list: &[Assignment]| -> Vec<u32> { list.iter().map(|a| a.group).collect() };
        assert_eq!(
            (groups(&forward), groups(&backward)),
            (vec![0, 1, 2], vec![0, 1, 2])
        );
        assert_eq!(forward[2].conversion, Conversion::Copy);
        // Only the way back connects them.
        backward[1] = assignment("b", "g(c, d)", &["c", "d"]);
        number(&mut forward, &mut backward);
        assert_eq!(
            (groups(&forward), groups(&backward)),
            (vec![0, 0, 1], vec![0, 0, 1])
        );
    }

    #[test]
    fn a_copy_whose_way_back_is_none_is_not_taken_for_one() {
        let mut forward = vec![assignment("c", "a", &["a"])];
        let mut backward = vec![assignment("a", "upper(c)", &["c"])];
        number(&mut forward, &mut backward);
        assert_eq!(forward[0].conversion, Conversion::Widening);
        let mut one_way = vec![assignment("c", "a", &["a"])];
        number(&mut one_way, &mut []);
        assert_eq!(one_way[0].conversion, Conversion::Copy);
    }
}
