//! Who asks: the holder of a token or of a sign-in, or somebody unknown.

use crate::{
    door,
    failure::{Failure, Problem},
    sight::Sight,
    site::{Shared, Site},
    trust::UserName,
};
use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use crossfade_coordinator::service::{Holder, Once, Secret, Service};

#[derive(Debug)]
pub struct Visitor {
    pub holder: Option<Holder>,
    secret: Option<Secret>,
    /// Who it is, as a proxy says.
    pub proxy_user: Option<UserName>,
    /// What is asked is done once.
    once: Option<Once>,
}

impl Visitor {
    /// A value that forms carry, which other sites cannot know.
    pub fn form_token(&self) -> String {
        let secret = self.secret.as_ref();
        let purpose = match &self.proxy_user {
            Some(user) => format!("form of {user}"),
            None => "form".to_owned(),
        };
        secret.map_or(String::new(), |secret| secret.derived(&purpose))
    }

    pub fn may_see_rows(&self) -> bool {
        self.holder
            .as_ref()
            .is_some_and(|holder| holder.may_see_rows)
    }

    /// The service, which acts for this visitor.
    pub fn service(&self, site: &Site) -> Result<Service, Failure> {
        if site.settings.read_only {
            return Err(Failure::Forbidden(READ_ONLY.to_owned()));
        }
        let secret = self.secret.clone().ok_or(Failure::SignIn)?;
        let mut service = site.service.acting_for(secret);
        if let Some(user) = &self.proxy_user {
            service = service.for_user(user.as_str());
        }
        if let Some(once) = &self.once {
            service = service.once(once.clone());
        }
        Ok(service)
    }

    /// How much is shown to this visitor, who may look.
    pub fn sight(&self) -> Sight {
        match &self.holder {
            Some(_) => Sight::Whole,
            None => Sight::Public,
        }
    }

    /// Whoever may look, and has signed in: it is about texts that are not for everybody.
    pub fn known(&self) -> Result<(), Failure> {
        match self.sight() {
            Sight::Whole => Ok(()),
            Sight::Public => Err(Failure::SignIn),
        }
    }

    pub fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    fn may_look(&self, site: &Site) -> bool {
        site.settings.public_read || self.holder.as_ref().is_some_and(|holder| holder.may_look)
    }
}

pub const READ_ONLY: &str =
    "this server only shows runs (`--read-only`): use the command line, or another server";

/// The name by which a browser keeps its sign-in. The prefix binds it to this host and to TLS. Browsers send a cookie to every port
/// of a host, so that the port is in its name: two servers on one machine must not sign each other's visitors out.
pub fn cookie_name(site: &Site) -> String {
    if site.settings.is_secure {
        "__Host-crossfade".to_owned()
    } else {
        format!("crossfade-{}", site.address.port())
    }
}

/// What sets the cookie; without a secret, what takes it away.
pub fn cookie(site: &Site, secret: Option<&Secret>) -> Option<HeaderValue> {
    let name = cookie_name(site);
    let secure = if site.settings.is_secure {
        "; Secure"
    } else {
        ""
    };
    let (value, age) = match secret {
        Some(secret) => (secret.reveal(), ""),
        None => ("", "; Max-Age=0"),
    };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn of_cookie(site: &Site, headers: &HeaderMap) -> Option<Secret> {
    let name = cookie_name(site);
    let cookies = headers.get_all(header::COOKIE).into_iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| Secret::of(value))
}

pub fn of_header(headers: &HeaderMap) -> Option<Secret> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    Secret::of(token.trim())
}

pub async fn identify(site: &Site, secret: Option<Secret>) -> Result<Visitor, Failure> {
    let holder = match &secret {
        Some(secret) => site.looker.holder(secret).await?,
        None => None,
    };
    Ok(Visitor {
        secret: secret.filter(|_| holder.is_some()),
        holder,
        proxy_user: None,
        once: None,
    })
}

/// By what a proxy says of its user, or else by the sign-in. A user who has no token here may sign in with one.
async fn browser(site: &Site, parts: &Parts) -> Result<Visitor, Failure> {
    let from = parts.extensions.get::<ConnectInfo<door::Visitor>>();
    let trust = site.settings.trust.as_ref().zip(from);
    let named = trust.and_then(|(trust, from)| trust.user(from.0.0.ip(), &parts.headers));
    let Some((user, token)) = named else {
        return identify(site, of_cookie(site, &parts.headers)).await;
    };
    let mut visitor = identify(site, Some(token.clone())).await?;
    if visitor.holder.is_none() {
        return Err(Failure::Forbidden(format!(
            "the token by which {user} acts is not valid: it was revoked, it has expired, or its role is gone. Whoever runs the server names another one in `users` of crossfade.yaml"
        )));
    }
    visitor.proxy_user = Some(user.clone());
    Ok(visitor)
}

/// A browser, signed in or not.
impl FromRequestParts<Shared> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Shared) -> Result<Self, Failure> {
        browser(site, parts).await
    }
}

/// A browser whose person may look.
pub struct Looking(pub Visitor);

impl FromRequestParts<Shared> for Looking {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Shared) -> Result<Self, Failure> {
        let visitor = browser(site, parts).await?;
        match &visitor.holder {
            _ if visitor.may_look(site) => Ok(Self(visitor)),
            Some(holder) => Err(Failure::Forbidden(no_rights(&holder.role))),
            None => Err(Failure::SignIn),
        }
    }
}

/// A program that calls the API with a token, and may look.
pub struct Caller(pub Visitor);

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Shared) -> Result<Self, Problem> {
        let secret = of_header(&parts.headers);
        let has_token = parts.headers.contains_key(header::AUTHORIZATION);
        let mut visitor = identify(site, secret).await.map_err(Problem::from)?;
        visitor.once = parts.extensions.get::<Once>().cloned();
        match &visitor.holder {
            // A token that is over is an error even where everybody may look: its holder wants to know.
            None if has_token => Err(Problem::token_over()),
            _ if visitor.may_look(site) => Ok(Self(visitor)),
            Some(holder) => Err(Failure::Forbidden(no_rights(&holder.role)).into()),
            None => Err(Failure::SignIn.into()),
        }
    }
}

fn no_rights(role: &str) -> String {
    format!(
        "the role {role} may not look at Crossfade's tables: GRANT USAGE ON SCHEMA crossfade, and SELECT ON ALL TABLES IN SCHEMA crossfade, to it"
    )
}
