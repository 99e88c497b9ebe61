//! Numbers and dates as text without an allocation: a claim has dozens of them, and each is only passed on.

use jiff::civil::Date;
use rust_decimal::Decimal;

/// A number or date, spelled as `to_string` spells it.
#[derive(Debug, Clone, Copy)]
pub struct Digits {
    bytes: [u8; Digits::MAX],
    start: usize,
    end: usize,
}

impl Digits {
    /// Sign, 29 digits, a point and a zero before it.
    const MAX: usize = 32;

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    pub fn of_decimal(number: Decimal) -> Digits {
        let mut digits = Digits::none();
        digits.number(number.mantissa().unsigned_abs(), number.scale());
        if number.is_sign_negative() {
            digits.put(b'-');
        }
        digits
    }

    /// `2025-03-03`.
    pub fn of_date(date: Date) -> Digits {
        let mut digits = Digits::none();
        digits.two(date.day().unsigned_abs().into());
        digits.put(b'-');
        digits.two(date.month().unsigned_abs().into());
        digits.put(b'-');
        let year = date.year().unsigned_abs();
        digits.two(year % 100);
        digits.two(year / 100);
        if date.year() < 0 {
            // As jiff writes the years before our era.
            digits.two(0);
            digits.put(b'-');
        }
        digits
    }

    pub fn of_integer(number: u64) -> Digits {
        let mut digits = Digits::none();
        digits.number(number.into(), 0);
        digits
    }

    fn none() -> Digits {
        Digits { bytes: [b'0'; Digits::MAX], start: Digits::MAX, end: Digits::MAX }
    }

    /// From the last digit to the first; one stands before the point in any case.
    fn number(&mut self, number: u128, scale: u32) {
        let (mut large, mut n) = (number, 0);
        // What fits a machine word is divided much faster, and nearly every number does.
        while large > u128::from(u64::MAX) {
            self.digit((large % 10) as u8, n, scale);
            (large, n) = (large / 10, n + 1);
        }
        let mut rest = large as u64;
        while rest > 0 || n <= scale {
            self.digit((rest % 10) as u8, n, scale);
            (rest, n) = (rest / 10, n + 1);
        }
    }

    /// The digit `n` from the end, with the point behind it where it belongs.
    fn digit(&mut self, digit: u8, n: u32, scale: u32) {
        if n == scale && n > 0 {
            self.put(b'.');
        }
        self.put(b'0' + digit);
    }

    fn two(&mut self, number: u16) {
        self.put(b'0' + (number % 10) as u8);
        self.put(b'0' + (number / 10 % 10) as u8);
    }

    fn put(&mut self, byte: u8) {
        self.start = self.start.saturating_sub(1);
        if let Some(place) = self.bytes.get_mut(self.start) {
            *place = byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_spelled_as_they_are_written() {
        let written = [
            "0",
            "-0",
            "0.00",
            "-0.50",
            "1",
            "10",
            "100.00",
            "-12.5",
            "0.05",
            "123456789012345.67",
            "18446744073709551615",
            "18446744073709551616",
            "-184467440737095516.17",
            "79228162514264337593543950335",
            "0.0000000000000000000000000001",
            "-7.9228162514264337593543950335",
            "10000000000000000000000",
            "1.0000000000000000000000",
        ];
        for text in written {
            let number: Decimal = text.parse().unwrap();
            assert_eq!(Digits::of_decimal(number).as_str(), number.to_string(), "{text}");
        }
    }

    #[test]
    fn dates_and_integers_are_spelled_as_they_are_written() {
        for (year, month, day) in [(2025, 3, 3), (1, 12, 31), (0, 1, 1), (9999, 10, 10), (-44, 3, 15)] {
            let date = jiff::civil::date(year, month, day);
            assert_eq!(Digits::of_date(date).as_str(), date.to_string());
        }
        for number in [0, 7, 10, 4_294_967_295] {
            assert_eq!(Digits::of_integer(number).as_str(), number.to_string());
        }
    }
}
