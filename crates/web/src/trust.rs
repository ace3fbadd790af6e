//! A proxy in front that says who its user is: believed only from its own addresses, and only of users who are known here.

use axum::http::{HeaderMap, HeaderName};
use crossfade_coordinator::service::Secret;
use std::{collections::BTreeMap, fmt, net::IpAddr, str::FromStr};

/// A range of addresses, such as `10.0.0.0/8`; an address alone is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// An IPv4 address that is written as an IPv6 address is the same address.
fn number(address: IpAddr) -> (u128, u8) {
    match address.to_canonical() {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is not a range of addresses such as 10.0.0.0/8 or ::1/128");
        let (address, bits) = text
            .split_once('/')
            .map_or((text, None), |(one, other)| (one, Some(other)));
        let first: IpAddr = address.parse().map_err(|_not_one| wrong())?;
        let longest = if first.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_not_one| wrong())?,
            None => longest,
        };
        if bits > longest {
            return Err(wrong());
        }
        Ok(Self { first, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl Network {
    /// It tells no address from another.
    pub fn is_everything(&self) -> bool {
        self.bits == 0
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let ((first, width), (asked, width_of_asked)) = (number(self.first), number(address));
        // Of ::ffff:10.0.0.0/104, the bits that are left of the IPv4 address.
        let before = if self.first.is_ipv6() && width == 32 {
            96
        } else {
            0
        };
        let rest = u32::from(width.saturating_sub(self.bits.saturating_sub(before)));
        let cut = |number: u128| number.checked_shr(rest).unwrap_or(0);
        width == width_of_asked && cut(first) == cut(asked)
    }
}

/// The name of a user, as a proxy says it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserName(String);

impl UserName {
    pub const CHARACTERS_MAX: usize = 100;

    /// `None`: such a name would not be read as one word in the history.
    pub fn of(text: &str) -> Option<Self> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_name = is_plain && (1..=Self::CHARACTERS_MAX).contains(&text.len());
        is_name.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whom a proxy may name, and from where.
#[derive(Clone, Debug)]
pub struct Trust {
    pub header: HeaderName,
    pub proxies: Vec<Network>,
    /// What each user acts by: a token of a database role.
    pub users: BTreeMap<UserName, Secret>,
}

impl Trust {
    /// Who asks, as the proxy says; `None`: the request is not the proxy's, it names nobody or several, or nobody who is known.
    pub fn user(&self, from: IpAddr, headers: &HeaderMap) -> Option<(&UserName, &Secret)> {
        if !self.proxies.iter().any(|network| network.contains(from)) {
            return None;
        }
        let mut named = headers.get_all(&self.header).iter();
        let (Some(name), None) = (named.next(), named.next()) else {
            return None;
        };
        self.users
            .get_key_value(&UserName::of(name.to_str().ok()?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_network_has_its_own_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.1.2.3", "10.1.2.3", "10.1.2.4"),
            ("0.0.0.0/0", "1.2.3.4", "::1"),
            ("::1/128", "::1", "::2"),
            ("fd00::/8", "fd12::1", "fe80::1"),
            ("10.0.0.0/8", "::ffff:10.0.0.1", "::ffff:11.0.0.1"),
            ("::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.1"),
            ("::/0", "::5", "10.0.0.1"),
        ] {
            let found: Network = network.parse().unwrap();
            assert!(
                found.contains(inside.parse().unwrap()),
                "{network} {inside}"
            );
            assert!(
                !found.contains(outside.parse().unwrap()),
                "{network} {outside}"
            );
        }
        for wrong in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "proxy",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_a_proxy_names_a_user_and_only_one() {
        let name = UserName::of("ada@example.com").unwrap();
        let trust = Trust {
            header: HeaderName::from_static("x-forwarded-user"),
            proxies: vec!["10.0.0.1".parse().unwrap()],
            users: BTreeMap::from([(name.clone(), Secret::random().unwrap())]),
        };
        let proxy = IpAddr::from([10, 0, 0, 1]);
        let found = |from: IpAddr, names: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for name in names {
                headers.append("x-forwarded-user", HeaderValue::from_static(name));
            }
            trust.user(from, &headers).map(|(name, _)| name.clone())
        };
        assert_eq!(found(proxy, &["ada@example.com"]), Some(name));
        assert_eq!(
            found(IpAddr::from([10, 0, 0, 2]), &["ada@example.com"]),
            None
        );
        assert_eq!(found(proxy, &["ada@example.com", "ada@example.com"]), None);
        assert_eq!(found(proxy, &["grace@example.com"]), None);
        assert_eq!(found(proxy, &[]), None);
    }

    #[test]
    fn a_name_is_one_word() {
        for (text, is_name) in [
            ("ada@example.com", true),
            ("", false),
            ("a b", false),
            ("a\u{7f}", false),
            ("é", false),
        ] {
            assert_eq!(UserName::of(text).is_some(), is_name, "{text:?}");
        }
        assert!(UserName::of(&"x".repeat(101)).is_none());
    }
}
