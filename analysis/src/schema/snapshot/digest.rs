//! A short hash of a set of migrations, the same on every machine.

use super::super::Migration;

/// The digest of migrations in their order, as 32 hexadecimal digits.
///
/// It detects stale snapshots, and does not protect against attackers: a 128-bit FNV-1a hash over versions
/// and texts. Line endings are ignored, since a checkout may change them; so are file names.
pub fn digest(migrations: &[Migration]) -> String {
    let mut hash = Fnv::default();
    for migration in migrations {
        hash.write(&migration.version.to_le_bytes());
        for line in migration.sql.split('\n') {
            hash.write(line.strip_suffix('\r').unwrap_or(line).as_bytes());
            hash.write(b"\n");
        }
        hash.write(&[0]);
    }
    format!("{:032x}", hash.0)
}

struct Fnv(u128);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
}

impl Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sql: &str) -> String {
        let (version, description, file) = (1, String::new(), String::new());
        digest(&[Migration { version, description, file, sql: sql.to_owned(), no_transaction: false }])
    }

    #[test]
    fn known_values() {
        // Published test vectors of the hash.
        let mut hash = Fnv::default();
        hash.write(b"a");
        assert_eq!(format!("{:032x}", hash.0), "d228cb696f1a8caf78912b704e4a8964");
        assert_eq!(digest(&[]), "6c62272e07bb014262b821756295c58d");
    }

    #[test]
    fn line_ends_do_not_count() {
        assert_eq!(of("a\r\nb"), of("a\nb"));
        assert_ne!(of("a\nb"), of("ab"));
        assert_ne!(of("a"), of("b"));
    }
}
