//! The authority of the host's own broker, which programs of the guest trust for TLS.

use std::fs;

use base64::Engine as _;

/// Where Debian keeps what programs trust, all in one file. An image without `ca-certificates` has none.
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Characters in a line of PEM (RFC 7468).
const LINE: usize = 64;

/// Returns a certificate as text (PEM).
fn text(certificate: &[u8]) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(certificate);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE));
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out.push_str("-----END CERTIFICATE-----\n");
    out
}

/// Adds a certificate to those that programs trust, and returns it as text.
pub(crate) fn add(certificate: &[u8]) -> Result<String, String> {
    let text = text(certificate);
    let failed = |error: std::io::Error| format!("`{BUNDLE}`: {error}");
    match fs::read_to_string(BUNDLE) {
        Ok(bundle) if !bundle.contains(&text) => fs::write(BUNDLE, bundle + &text).map_err(failed)?,
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_told_in_lines_as_pem_has_them() {
        let told = text(&[7; 100]);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 5);
        assert_eq!((lines[1].len(), lines[2].len(), lines[3].len()), (64, 64, 8));
        assert_eq!(lines.last(), Some(&"-----END CERTIFICATE-----"));
    }
}
