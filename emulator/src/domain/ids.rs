//! Generates ids from a seed. It knows nothing of what they identify.

use fastrand::Rng;

/// A source of ids. The same seed gives the same ids in the same order.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    seed: u64,
    issued: u64,
}

impl Ids {
    /// Creates a source that continues after `issued` ids.
    pub(crate) fn new(seed: u64, issued: u64) -> Self {
        Self { seed, issued }
    }

    pub(crate) fn issued(&self) -> u64 {
        self.issued
    }

    /// Generates a UUID of version 4.
    pub(crate) fn next_uuid(&mut self) -> String {
        uuid(&mut self.next())
    }

    /// Generates a key as Coralogix events have it: 16 hexadecimal digits.
    pub(crate) fn next_key(&mut self) -> String {
        format!("{:016x}", self.next().u64(..))
    }

    fn next(&mut self) -> Rng {
        // The odd constant spreads consecutive numbers over all seeds.
        let seed = self.seed ^ self.issued.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.issued += 1;
        Rng::with_seed(seed)
    }
}

/// Generates a UUID of version 4.
pub(crate) fn uuid(random: &mut Rng) -> String {
    let bits = random.u128(..) & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The FNV-1a hash, which is the same in every run of the program.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
