//! What `ClientBuilder::from_env` makes of the environment. Each case runs this program again, with the variables of the case.

use std::{env, process::Command};

use coralogix_incidents::{ApiKey, ClientBuilder};

pub(crate) const VARIABLES: [&str; 5] =
    ["CORALOGIX_API_KEY", "CORALOGIX_URL", "CORALOGIX_DOMAIN", "CORALOGIX_REGION", "CORALOGIX_ENV"];

/// The base URL and the variable that it is from, or the error.
pub(crate) fn configured(variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "environment::prints_what_it_is_configured_with", "--ignored", "--nocapture"]);
    for name in VARIABLES {
        command.env_remove(name);
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("configured: ")).unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
#[ignore = "run by other tests, with variables"]
fn prints_what_it_is_configured_with() {
    let configured = ClientBuilder::from_env().and_then(|builder| {
        let variable = builder.endpoint_variable().unwrap_or("default");
        let client = builder.api_key(ApiKey::new("key")?).build()?;
        Ok(format!("{} {variable} {:?}", client.base_url(), client.api_generation()))
    });
    println!("\nconfigured: {}", configured.unwrap_or_else(|error| error.to_string()));
}

#[test]
fn the_endpoint_is_found_by_any_of_the_names_that_the_vendors_tools_use() {
    for (variables, host, source) in [
        (&[][..], "eu1.coralogix.com", "default"),
        (&[("CORALOGIX_REGION", "us2")], "us2.coralogix.com", "CORALOGIX_REGION"),
        (&[("CORALOGIX_ENV", "EUROPE2")], "eu2.coralogix.com", "CORALOGIX_ENV"),
        (&[("CORALOGIX_ENV", "usa1")], "us1.coralogix.com", "CORALOGIX_ENV"),
        (&[("CORALOGIX_ENV", " APAC3 ")], "ap3.coralogix.com", "CORALOGIX_ENV"),
        (&[("CORALOGIX_DOMAIN", "https://example.com/")], "example.com", "CORALOGIX_DOMAIN"),
        (&[("CORALOGIX_REGION", ""), ("CORALOGIX_ENV", "EU2")], "eu2.coralogix.com", "CORALOGIX_ENV"),
        (&[("CORALOGIX_REGION", "EU2"), ("CORALOGIX_ENV", "EUROPE2")], "eu2.coralogix.com", "CORALOGIX_REGION"),
        (
            &[("CORALOGIX_DOMAIN", "eu2.coralogix.com"), ("CORALOGIX_ENV", "EU2")],
            "eu2.coralogix.com",
            "CORALOGIX_DOMAIN",
        ),
    ] {
        let expected = format!("https://api.{host}/mgmt/openapi {source} None");
        assert_eq!(configured(variables), expected, "{variables:?}");
    }
    let url = ("CORALOGIX_URL", "https://api.coralogix.com/mgmt/openapi/5/");
    for variables in [&[url][..], &[url, ("CORALOGIX_REGION", "EU1")]] {
        let expected = "https://api.coralogix.com/mgmt/openapi/5 CORALOGIX_URL Some(V5)";
        assert_eq!(configured(variables), expected, "{variables:?}");
    }
}

#[test]
fn conflicting_and_unknown_variables_are_named() {
    let conflict = configured(&[("CORALOGIX_REGION", "EU2"), ("CORALOGIX_ENV", "US1")]);
    let expected = "CORALOGIX_REGION and CORALOGIX_ENV disagree: one selects api.eu2.coralogix.com, the other \
                    api.us1.coralogix.com; unset one of them";
    assert_eq!(conflict, expected);
    let unknown = configured(&[("CORALOGIX_ENV", "EUROPE9")]);
    assert!(unknown.starts_with("CORALOGIX_ENV is not valid: unknown region `EUROPE9`"), "{unknown}");
}
