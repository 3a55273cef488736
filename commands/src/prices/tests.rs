//! Reading files of prices.

use super::*;

const LINE: &str = "{\"asset\":\"litecoin-regtest/ltc\",\"reference\":\"usd\",\"minor_units\":\"9100\",\
                    \"at\":\"2026-11-22T12:00:00.000000Z\",\"signature\":\"00\"}";

#[test]
fn a_file_holds_a_price_on_each_line() {
    let read = quotes(&format!("{LINE}\n\n{LINE}\n")).unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].minor_units.units(), 9_100);
}

#[test]
fn half_a_line_is_an_error_that_names_it() {
    let error = quotes(&format!("{LINE}\n{}", &LINE[..40])).unwrap_err();
    assert!(error.starts_with("line 2: "), "{error}");
    assert!(quotes("{\"asset\":1}").is_err());
}

#[tokio::test]
async fn a_missing_file_says_which() {
    let error = QuoteFile::new("/nowhere/prices".into()).read().await.unwrap_err();
    assert!(error.starts_with("/nowhere/prices: "), "{error}");
}
