//! What `ClientBuilder::from_env` makes of the environment. Each case runs this program again, with the variables of the case.

use std::{env, process::Command};

use coralogix_incidents::{ApiKey, ClientBuilder};

const VARIABLES: [&str; 5] =
    ["CORALOGIX_API_KEY", "CORALOGIX_URL", "CORALOGIX_DOMAIN", "CORALOGIX_REGION", "CORALOGIX_ENV"];

/// The base URL and the variable that it is from, or the error.
fn with(variables: &[(&str, &str)]) -> String {
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
    for (variables, expected) in [
        (&[][..], "https://api.eu1.coralogix.com/mgmt/openapi default None"),
        (&[("CORALOGIX_REGION", "us2")], "https://api.us2.coralogix.com/mgmt/openapi CORALOGIX_REGION None"),
        (&[("CORALOGIX_ENV", "EUROPE2")], "https://api.eu2.coralogix.com/mgmt/openapi CORALOGIX_ENV None"),
        (&[("CORALOGIX_ENV", "usa1")], "https://api.us1.coralogix.com/mgmt/openapi CORALOGIX_ENV None"),
        (&[("CORALOGIX_ENV", " APAC3 ")], "https://api.ap3.coralogix.com/mgmt/openapi CORALOGIX_ENV None"),
        (&[("CORALOGIX_DOMAIN", "https://example.com/")], "https://api.example.com/mgmt/openapi CORALOGIX_DOMAIN None"),
        (
            &[("CORALOGIX_URL", "https://api.eu2.coralogix.com/mgmt/openapi/5/")],
            "https://api.eu2.coralogix.com/mgmt/openapi/5 CORALOGIX_URL Some(V5)",
        ),
        (
            &[("CORALOGIX_REGION", ""), ("CORALOGIX_ENV", "EU2")],
            "https://api.eu2.coralogix.com/mgmt/openapi CORALOGIX_ENV None",
        ),
    ] {
        assert_eq!(with(variables), expected, "{variables:?}");
    }
}

#[test]
fn variables_may_agree_and_conflicting_ones_are_named() {
    for (variables, expected) in [
        (
            &[("CORALOGIX_REGION", "EU2"), ("CORALOGIX_ENV", "EUROPE2")],
            "https://api.eu2.coralogix.com/mgmt/openapi CORALOGIX_REGION None",
        ),
        (
            &[("CORALOGIX_URL", "https://api.coralogix.com/mgmt/openapi/5"), ("CORALOGIX_REGION", "EU1")],
            "https://api.coralogix.com/mgmt/openapi/5 CORALOGIX_URL Some(V5)",
        ),
        (
            &[("CORALOGIX_DOMAIN", "eu2.coralogix.com"), ("CORALOGIX_ENV", "EU2")],
            "https://api.eu2.coralogix.com/mgmt/openapi CORALOGIX_DOMAIN None",
        ),
        (
            &[("CORALOGIX_REGION", "EU2"), ("CORALOGIX_ENV", "US1")],
            "CORALOGIX_REGION and CORALOGIX_ENV disagree: one selects api.eu2.coralogix.com, the other \
             api.us1.coralogix.com; unset one of them",
        ),
    ] {
        assert_eq!(with(variables), expected, "{variables:?}");
    }
    let unknown = with(&[("CORALOGIX_ENV", "EUROPE9")]);
    assert!(unknown.starts_with("CORALOGIX_ENV is not valid: unknown region `EUROPE9`"), "{unknown}");
}
