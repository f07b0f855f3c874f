//! How the name of a point is taken apart: `cells.3.door`, `phaseVoltage.L2`,
//! `channels.1.activePower.L2`.

/// The parts of a point's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameParts<'n> {
    /// Group and number, of things that are counted: `("cells", "3")`.
    pub member: Option<(&'n str, &'n str)>,
    /// What is said of it: `door`.
    pub property: &'n str,
    /// Which part of it: phase, tariff, terminal, axis: `L2`.
    pub part: Option<&'n str>,
}

/// Takes a name apart; none when it has other parts than these.
///
/// A group is a word with a number after it. A part is the last piece, one letter, or one capital
/// letter and one or two digits; so no property is called like one.
pub fn name_parts(name: &str) -> Option<NameParts<'_>> {
    let pieces: Vec<&str> = name.split('.').collect();
    let (member, rest) = match pieces.as_slice() {
        [group, number, rest @ ..] if !rest.is_empty() && is_number(number) => {
            (Some((*group, *number)), rest)
        }
        all => (None, all),
    };
    match rest {
        [property] => Some(NameParts { member, property, part: None }),
        [property, part] if is_part(part) => Some(NameParts { member, property, part: Some(part) }),
        _ => None,
    }
}

fn is_number(piece: &str) -> bool {
    !piece.is_empty() && piece.bytes().all(|b| b.is_ascii_digit())
}

fn is_part(piece: &str) -> bool {
    match piece.as_bytes() {
        [letter] => letter.is_ascii_alphabetic(),
        [letter, digits @ ..] => {
            letter.is_ascii_uppercase()
                && digits.len() <= 2
                && digits.iter().all(u8::is_ascii_digit)
        }
        [] => false,
    }
}
