//! Tables that are not ours to ship, taken from a folder when they are there (`codes_dir`): code lists with their days of
//! validity, the pairs and unit limits of the National Correct Coding Initiative. Each file is a table of cells between tabs or
//! commas; what stands in no row of codes (headings, notes, `#`) is passed over, so that the files of CMS can be laid in as
//! they are.
//!
//! | file | cells |
//! |---|---|
//! | `icd-10-cm*`, `icd-10-pcs*`, `hcpcs*`, `cpt*`, `cdt*` | code, first day, last day; days may be left out |
//! | `ncci-ptp*` | first code, second code, (in existence before 1996,) first day, last day or `*`, modifier indicator 0, 1, 9 |
//! | `mue*` | code, most units, (adjudication indicator: 1 a line, 2 and 3 a day) |

use crate::fault::{Fault, codes};
use jiff::civil::Date;
use std::collections::HashMap;
use std::path::Path;

/// The lists of codes, by the beginning of their files' names.
const LISTS: &[&str] = &["icd10cm", "icd10pcs", "hcpcs", "cpt", "cdt"];

/// Days as `CCYYMMDD`; 0 is no limit at the beginning, `u32::MAX` none at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Days {
    first: u32,
    last: u32,
}

impl Days {
    fn hold(self, day: u32) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

/// A pair of codes that are not paid together.
#[derive(Debug, Clone, Copy)]
struct Pair {
    codes: (u64, u64),
    days: Days,
    /// Whether a modifier can tell the two apart.
    by_modifier: bool,
}

/// The most units of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitLimit {
    pub most: u32,
    /// Of one line; else of all lines of a day.
    pub of_line: bool,
}

/// What there is.
#[derive(Debug, Default)]
pub struct Tables {
    lists: HashMap<&'static str, HashMap<u64, Vec<Days>>>,
    /// Ordered by codes.
    pairs: Vec<Pair>,
    limits: HashMap<u64, UnitLimit>,
}

impl Tables {
    /// Reads every file of the folder whose name begins as one of the tables.
    pub fn load(folder: &Path) -> Result<Tables, Fault> {
        let unreadable = |path: &Path, error: std::io::Error| {
            Fault::ours(codes::CONFIGURATION, format!("codes_dir: {}: {error}", path.display()))
        };
        let mut tables = Tables::default();
        let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase().replace('-', "");
            if !Tables::takes(&name) {
                continue;
            }
            let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, error))?;
            tables.read(&name, &String::from_utf8_lossy(&bytes));
        }
        Ok(tables)
    }

    fn takes(name: &str) -> bool {
        LISTS.iter().chain(&["ncciptp", "mue"]).any(|start| name.starts_with(start))
    }

    /// Takes in the text of one file.
    pub fn read(&mut self, name: &str, text: &str) {
        let list = LISTS.iter().copied().find(|list| name.starts_with(list));
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&str> = line.split(['\t', ',']).map(|cell| cell.trim().trim_matches('"')).collect();
            match list {
                Some(list) => self.listed(list, &cells),
                None if name.starts_with("mue") => self.limit(&cells),
                None => self.pair(&cells),
            }
        }
        self.pairs.sort_by_key(|pair| pair.codes);
    }

    fn listed(&mut self, list: &'static str, cells: &[&str]) {
        let Some(code) = cells.first().and_then(|cell| packed(cell)) else { return };
        let days = Days { first: first_day(cells.get(1)), last: last_day(cells.get(2)) };
        self.lists.entry(list).or_default().entry(code).or_default().push(days);
    }

    fn pair(&mut self, cells: &[&str]) {
        let [first, second, rest @ ..] = cells else { return };
        let (Some(first), Some(second)) = (packed(first), packed(second)) else { return };
        // CMS has a cell for pairs of before 1996; an own table may leave it out.
        let rest =
            if rest.first().is_some_and(|cell| day(cell).is_none()) { rest.get(1..).unwrap_or_default() } else { rest };
        let by_modifier = match rest.get(2).copied() {
            Some("0") => false,
            Some("1") => true,
            _ => return,
        };
        let days = Days { first: first_day(rest.first()), last: last_day(rest.get(1)) };
        self.pairs.push(Pair { codes: (first, second), days, by_modifier });
    }

    fn limit(&mut self, cells: &[&str]) {
        let Some(code) = cells.first().and_then(|cell| packed(cell)) else { return };
        let Some(most) = cells.get(1).and_then(|cell| cell.parse().ok()) else { return };
        let of_line = cells.get(2).is_some_and(|cell| cell.starts_with('1'));
        self.limits.insert(code, UnitLimit { most, of_line });
    }

    /// Whether a code is on a list on a day; `None` when there is no such list.
    pub fn is_valid(&self, list: &str, code: &str, on: Date) -> Option<bool> {
        let list = self.lists.get(list)?;
        let known = packed(code).and_then(|code| list.get(&code));
        Some(known.is_some_and(|days| days.iter().any(|days| days.hold(number(on)))))
    }

    /// Whether the second code is part of the first on a day: `Some(true)` when a modifier can tell them apart.
    pub fn is_part_of(&self, first: &str, second: &str, on: Date) -> Option<bool> {
        let wanted = (packed(first)?, packed(second)?);
        let from = self.pairs.partition_point(|pair| pair.codes < wanted);
        let same = self.pairs[from..].iter().take_while(|pair| pair.codes == wanted);
        same.filter(|pair| pair.days.hold(number(on))).map(|pair| pair.by_modifier).min()
    }

    pub fn unit_limit(&self, code: &str) -> Option<UnitLimit> {
        self.limits.get(&packed(code)?).copied()
    }
}

/// A code of three to seven letters and digits as a number; dots are left out.
fn packed(code: &str) -> Option<u64> {
    let letters: Vec<u8> = code.bytes().filter(|byte| *byte != b'.').collect();
    let fits = (3..=7).contains(&letters.len())
        && letters.iter().all(u8::is_ascii_alphanumeric)
        && letters.iter().any(u8::is_ascii_digit);
    fits.then(|| letters.iter().fold(0, |sum, byte| sum << 8 | u64::from(byte.to_ascii_uppercase())))
}

fn number(date: Date) -> u32 {
    date.year().max(0) as u32 * 10_000 + date.month() as u32 * 100 + date.day() as u32
}

/// `CCYYMMDD` or `CCYY-MM-DD`.
fn day(cell: &str) -> Option<u32> {
    let digits: String = cell.chars().filter(|c| *c != '-').collect();
    (digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().unwrap_or_default())
}

fn first_day(cell: Option<&&str>) -> u32 {
    cell.and_then(|cell| day(cell)).unwrap_or(0)
}

fn last_day(cell: Option<&&str>) -> u32 {
    cell.and_then(|cell| day(cell)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn files_of_cms_and_own_ones_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "ncci-ptp-2026q1.txt",
            "Column1/Column2 Edits\nColumn 1\tColumn 2\t*=in existence\tEffective\tDeletion\tModifier\n\
              99213\t36415\t \t20200101\t*\t1\tStandards\n11042\t97597\t\t20100101\t20191231\t0\tx\n80053\t80048\t\t20100101\t*\t9\tx\n",
        );
        write(
            "mue.csv",
            "HCPCS/CPT Code,Practitioner Services MUE Values,MUE Adjudication Indicator\n99213,1,3 Date of Service Edit\n87880,2,1 Line Edit\n",
        );
        write("icd10cm-2026.tsv", "# own\ncode\tfrom\tto\nJ02.0\t2015-10-01\nZ9999\t20151001\t20200930\n");
        write("readme.txt", "99999\t99998\t\t20200101\t*\t0\n");
        let tables = Tables::load(folder.path()).unwrap();
        let day = date(2026, 3, 3);
        assert_eq!(tables.is_part_of("99213", "36415", day), Some(true));
        assert_eq!(tables.is_part_of("36415", "99213", day), None);
        assert_eq!(tables.is_part_of("11042", "97597", day), None, "deleted");
        assert_eq!(tables.is_part_of("11042", "97597", date(2019, 12, 31)), Some(false));
        assert_eq!(tables.is_part_of("80053", "80048", day), None, "indicator 9: no edit");
        assert_eq!(tables.is_part_of("99999", "99998", day), None, "no table");
        assert_eq!(tables.unit_limit("99213"), Some(UnitLimit { most: 1, of_line: false }));
        assert_eq!(tables.unit_limit("87880"), Some(UnitLimit { most: 2, of_line: true }));
        assert_eq!(tables.is_valid("icd10cm", "J020", day), Some(true));
        assert_eq!(tables.is_valid("icd10cm", "Z9999", day), Some(false));
        assert_eq!(tables.is_valid("icd10cm", "X", day), Some(false));
        assert_eq!(tables.is_valid("cpt", "99213", day), None);
        assert!(Tables::load(&folder.path().join("absent")).is_err());
    }
}
