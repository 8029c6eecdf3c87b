//! The product, end to end, through its public doors: the command line and the home's socket.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets the unexpected has to fail, and says where"
)]

mod accounts;
mod broken_off;
mod browsers;
mod caldav;
mod calendars;
mod capable;
mod cards;
mod clocks;
mod computer;
mod contacts;
mod daily;
mod dashboard;
mod decide;
mod denials;
mod devices;
mod discovery;
mod editing;
mod evidence;
mod files;
mod frame;
mod hijack;
mod hostile;
mod house;
mod in_time;
mod interface;
mod models;
mod names;
mod newcomer;
mod notifications;
mod passkeys;
mod passphrases;
mod programs;
mod provenance;
mod reading;
mod records;
mod restore;
mod road;
mod rules;
mod schedules;
mod scheduling;
mod series;
mod several;
mod sign_in;
mod stops;
mod submission;
mod support;
mod telemetry;
mod tour;
mod trust;
mod undoing;
mod webdriver;
mod writing;
