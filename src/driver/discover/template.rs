//! Value templates that only pick a value out of a message, and scale it.
//!
//! `{{ value_json.a['b'] | float / 10 }}` is one; what decides anything is none.

use super::announced::{Place, step};
use crate::profile::PathStep;

/// Longest template that is looked at, bytes.
const MAX_TEMPLATE: usize = 300;
/// Deepest nesting of parentheses.
const MAX_NESTING: u8 = 8;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Number(f64),
    Sign(char),
}

/// A number, or what a message says.
enum Term {
    Number(f64),
    Place(Place),
}

/// Where the value of a template stands; `None` when the template does more than to pick it.
pub(super) fn read(template: &str) -> Option<Place> {
    if template.len() > MAX_TEMPLATE {
        return None;
    }
    let inner = template.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix('-').unwrap_or(inner);
    let inner = inner.strip_suffix('-').unwrap_or(inner);
    let mut reader = Reader { tokens: tokens(inner)?, at: 0, nesting: 0 };
    let term = reader.sum()?;
    match term {
        Term::Place(place)
            if reader.at == reader.tokens.len()
                && place.factor.is_finite()
                && place.factor != 0.0
                && place.offset.is_finite() =>
        {
            Some(place)
        }
        _ => None,
    }
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let token = match c {
            _ if c.is_whitespace() => continue,
            '\'' | '"' => {
                let mut inner = String::new();
                loop {
                    match chars.next()? {
                        end if end == c => break,
                        '\\' => return None,
                        other => inner.push(other),
                    }
                }
                Token::Text(inner)
            }
            '0'..='9' => {
                let mut number = String::from(c);
                while let Some(&next) = chars.peek().filter(|c| c.is_ascii_digit() || **c == '.') {
                    number.push(next);
                    chars.next();
                }
                Token::Number(number.parse().ok()?)
            }
            _ if c.is_alphabetic() || c == '_' => {
                let mut word = String::from(c);
                while let Some(&next) = chars.peek().filter(|c| c.is_alphanumeric() || **c == '_') {
                    word.push(next);
                    chars.next();
                }
                Token::Word(word)
            }
            '.' | '[' | ']' | '(' | ')' | '|' | '*' | '/' | '+' | '-' | ',' | '=' => Token::Sign(c),
            _ => return None,
        };
        tokens.push(token);
    }
    Some(tokens)
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    nesting: u8,
}

impl Reader {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    /// Takes one of these signs, if it comes next.
    fn sign(&mut self, signs: &[char]) -> Option<char> {
        match self.tokens.get(self.at) {
            Some(Token::Sign(sign)) if signs.contains(sign) => {
                self.at += 1;
                Some(*sign)
            }
            _ => None,
        }
    }

    fn sum(&mut self) -> Option<Term> {
        let mut left = self.product()?;
        while let Some(sign) = self.sign(&['+', '-']) {
            let right = self.product()?;
            let turn = if sign == '-' { -1.0 } else { 1.0 };
            left = match (left, right) {
                (Term::Number(a), Term::Number(b)) => Term::Number(a + turn * b),
                (Term::Place(place), Term::Number(b)) => {
                    Term::Place(Place { offset: place.offset + turn * b, decimals: None, ..place })
                }
                (Term::Number(a), Term::Place(place)) => Term::Place(Place {
                    factor: turn * place.factor,
                    offset: a + turn * place.offset,
                    decimals: None,
                    ..place
                }),
                _ => return None,
            };
        }
        Some(left)
    }

    fn product(&mut self) -> Option<Term> {
        let mut left = self.filtered()?;
        while let Some(sign) = self.sign(&['*', '/']) {
            let right = self.filtered()?;
            let (place, number) = match (left, right, sign) {
                (Term::Number(a), Term::Number(b), '*') => {
                    left = Term::Number(a * b);
                    continue;
                }
                (Term::Number(a), Term::Number(b), _) => {
                    left = Term::Number(a / b);
                    continue;
                }
                (Term::Place(place), Term::Number(b), '*')
                | (Term::Number(b), Term::Place(place), '*') => (place, b),
                (Term::Place(place), Term::Number(b), _) => (place, 1.0 / b),
                _ => return None,
            };
            left = Term::Place(Place {
                factor: place.factor * number,
                offset: place.offset * number,
                decimals: None,
                ..place
            });
        }
        Some(left)
    }

    fn filtered(&mut self) -> Option<Term> {
        let mut term = self.primary()?;
        while self.sign(&['|']).is_some() {
            let Token::Word(filter) = self.next()? else { return None };
            let first = if self.sign(&['(']).is_some() { self.arguments()? } else { None };
            match (filter.as_str(), &mut term) {
                ("float" | "int" | "default" | "is_defined" | "string" | "trim", _) => {}
                ("round", Term::Place(place)) => place.decimals = Some(digits(first)?),
                ("round", Term::Number(_)) => {}
                _ => return None,
            }
        }
        Some(term)
    }

    /// Skips what stands in the parentheses of a filter; its first number.
    fn arguments(&mut self) -> Option<Option<f64>> {
        let mut first = None;
        loop {
            match self.next()? {
                Token::Sign(')') => return Some(first),
                Token::Sign('(') => return None,
                Token::Number(number) if first.is_none() => first = Some(number),
                _ => {}
            }
        }
    }

    fn primary(&mut self) -> Option<Term> {
        match self.next()? {
            Token::Number(number) => Some(Term::Number(number)),
            Token::Sign('-') => match self.next()? {
                Token::Number(number) => Some(Term::Number(-number)),
                _ => None,
            },
            Token::Sign('(') => {
                self.nesting += 1;
                if self.nesting > MAX_NESTING {
                    return None;
                }
                let inner = self.sum()?;
                self.sign(&[')'])?;
                self.nesting -= 1;
                Some(inner)
            }
            Token::Word(word) if word == "value" => Some(Term::Place(Place::whole())),
            Token::Word(word) if word == "value_json" => {
                Some(Term::Place(Place::member(self.path()?)))
            }
            _ => None,
        }
    }

    fn path(&mut self) -> Option<Vec<PathStep>> {
        let mut path = Vec::new();
        while let Some(sign) = self.sign(&['.', '[']) {
            let key = match (sign, self.next()?) {
                ('.', Token::Word(word)) if word == "get" && self.sign(&['(']).is_some() => {
                    let Token::Text(key) = self.next()? else { return None };
                    // What comes behind the comma stands for a missing member.
                    self.arguments()?;
                    key
                }
                ('.', Token::Word(word)) => word,
                ('[', Token::Text(key)) => {
                    self.sign(&[']'])?;
                    key
                }
                ('[', Token::Number(number)) if number.fract() == 0.0 => {
                    self.sign(&[']'])?;
                    number.to_string()
                }
                _ => return None,
            };
            // `{n}` means something else in a profile.
            if key.is_empty() || key.contains("{n}") {
                return None;
            }
            path.push(step(&key));
        }
        Some(path)
    }
}

fn digits(number: Option<f64>) -> Option<u8> {
    let number = number.unwrap_or(0.0);
    (0..=9).find(|digits| f64::from(*digits) == number)
}

#[cfg(test)]
mod tests {
    use super::super::announced::pointer;
    use super::*;

    fn told(template: &str) -> Option<(String, f64, f64, Option<u8>)> {
        read(template).map(|p| (pointer(&p.path), p.factor, p.offset, p.decimals))
    }

    #[test]
    fn templates_that_pick_and_scale_are_read() {
        let plain = |path: &str| Some((path.to_owned(), 1.0, 0.0, None));
        assert_eq!(told("{{ value_json.temperature }}"), plain("/temperature"));
        assert_eq!(told("{{value_json['ENERGY']['Total']}}"), plain("/ENERGY/Total"));
        assert_eq!(told("{{ value_json[\"a/b~c\"][0].x }}"), plain("/a~1b~0c/0/x"));
        assert_eq!(told("{{ value_json.get('x', 0) | float(0) }}"), plain("/x"));
        assert_eq!(told("{{ value }}"), plain(""));
        assert_eq!(told("{{- value_json.x | default(none) -}}"), plain("/x"));
        assert_eq!(
            told("{{ (value_json.x | float / 10) | round(1) }}"),
            Some(("/x".into(), 0.1, 0.0, Some(1)))
        );
        assert_eq!(
            told("{{ 2 * (value_json.x - 32) + 1 }}"),
            Some(("/x".into(), 2.0, -63.0, None))
        );
        assert!(read("{{ value }}").is_some_and(|place| !place.json));
    }

    #[test]
    fn templates_that_decide_or_compute_more_are_not() {
        for template in [
            "",
            "{{ }}",
            "value_json.x",
            "{{ 1 }}",
            "{{ value_json.x * value_json.y }}",
            "{{ 1 / value_json.x }}",
            "{{ value_json.x / 0 }}",
            "{{ value_json.x * 0 }}",
            "{{ 'ON' if value_json.x else 'OFF' }}",
            "{% if value_json.x %}1{% endif %}",
            "{{ value_json.x | regex_replace('a','b') }}",
            "{{ states('sensor.x') }}",
            "{{ value_json.x }}{{ value_json.y }}",
            "{{ value_json['{n}'] }}",
            "{{ value_json['a\\n'] }}",
            "{{ ((((((((((value_json.x)))))))))) }}",
        ] {
            assert_eq!(told(template), None, "{template}");
        }
    }
}
