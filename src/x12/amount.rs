//! Amounts that are added up. Most are a few digits with a point among them: they are held as ten-thousandths, which need no
//! general arithmetic; what is longer is held beside, and no digit is lost.

use rust_decimal::Decimal;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};

/// Decimals that are held as a whole number.
const SCALE: u32 = 4;
/// What a number is multiplied by that has so many decimals.
const POWERS: [i64; 5] = [10_000, 1000, 100, 10, 1];
/// Digits of a plain amount: so many of them can be added up as a file can hold.
const DIGITS: usize = 13;

/// An amount, or a sum of amounts. The default is nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Amount {
    plain: i64,
    other: Decimal,
}

impl Amount {
    /// As an element holds it; what is absent or no number counts as nothing (the guide's check names it).
    pub fn of(text: &str) -> Amount {
        Amount::known(text).unwrap_or_default()
    }

    /// `None` of what is absent or no number.
    pub fn known(text: &str) -> Option<Amount> {
        let general = |text: &str| Some(Amount { plain: 0, other: text.parse().ok()? });
        // Spaces around it are rare.
        let plain = plain(text).or_else(|| plain(text.trim()));
        plain.map_or_else(|| general(text.trim()), |plain| Some(Amount { plain, other: Decimal::ZERO }))
    }

    /// Without zeros at its end.
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.plain, SCALE).saturating_add(self.other).normalize()
    }
}

/// Ten-thousandths of an amount of few digits.
fn plain(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > DIGITS {
        return None;
    }
    let (mut value, mut point) = (0i64, None);
    for (n, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => value = value * 10 + i64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(n + 1),
            _ => return None,
        }
    }
    let decimals = point.map_or(0, |behind| digits.len() - behind);
    let value = value.checked_mul(*POWERS.get(decimals)?)?;
    Some(if is_negative { -value } else { value })
}

impl PartialEq for Amount {
    fn eq(&self, other: &Amount) -> bool {
        match self.other.is_zero() && other.other.is_zero() {
            true => self.plain == other.plain,
            false => self.decimal() == other.decimal(),
        }
    }
}

impl Add for Amount {
    type Output = Amount;

    #[inline]
    fn add(self, more: Amount) -> Amount {
        match self.plain.checked_add(more.plain) {
            Some(plain) if more.other.is_zero() => Amount { plain, other: self.other },
            Some(plain) => Amount { plain, other: self.other.saturating_add(more.other) },
            None => Amount { plain: 0, other: self.decimal().saturating_add(more.decimal()) },
        }
    }
}

impl Neg for Amount {
    type Output = Amount;

    fn neg(self) -> Amount {
        // The least number has no counterpart; it is no sum of plain amounts.
        Amount { plain: self.plain.saturating_neg(), other: -self.other }
    }
}

impl Sub for Amount {
    type Output = Amount;

    fn sub(self, less: Amount) -> Amount {
        self + -less
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, more: Amount) {
        *self = *self + more;
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Amount>>(all: I) -> Amount {
        all.fold(Amount::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_alike_on_both_ways() {
        let long = ["123456789012345678", "1234567890123456789.25", "1.00005", "99999999999999.9"];
        for text in ["0", "12", "-12.50", "1.005", ".5", "5.", "0.00", "-0"].into_iter().chain(long) {
            assert_eq!(Amount::of(text).decimal(), text.parse::<Decimal>().unwrap().normalize(), "{text}");
        }
        for (text, value) in [("", "0"), (" 7 ", "7"), ("1.2.3", "0"), ("abc", "0"), ("+5", "5"), ("-", "0")] {
            assert_eq!(Amount::of(text).decimal(), value.parse::<Decimal>().unwrap(), "{text}");
        }
    }

    #[test]
    fn amounts_of_both_kinds_add_up() {
        let sum: Amount = ["0.1", "0.2", "-0.3", "1.00005", "-0.00005"].into_iter().map(Amount::of).sum();
        assert_eq!((sum, sum.decimal().to_string()), (Amount::of("1"), "1".to_owned()));
        assert_ne!(Amount::of("1.00005"), Amount::of("1"));
        let large: Amount = std::iter::repeat_n(Amount::of("9999999999999"), 200).sum();
        assert_eq!(large.decimal().to_string(), "1999999999999800");
        let most = Amount::of("79228162514264337593543950335");
        assert_eq!((most + most).decimal(), Decimal::MAX);
        assert_eq!((Amount::of("7") - Amount::of("9.50")).decimal().to_string(), "-2.5");
    }
}
