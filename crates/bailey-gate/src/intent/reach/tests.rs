use super::*;

fn cancels(task: &str, title: &str) -> Reach {
    Reaches::of(task).meant(Verb::Cancel, title)
}

#[test]
fn a_reach_is_read_of_the_entry_that_the_verb_is_about() {
    use Reach::{All, Following, One};
    for (task, title, reach) in [
        ("cancel Wednesday's meeting", "Team meeting", One),
        ("answer all my mails and cancel Tuesday's stand-up", "Stand-up", One),
        ("Cancel Tuesday's stand-up and answer all my mails", "Stand-up", One),
        ("Cancel the stand-up, then read all new mail.", "Stand-up", One),
        ("Cancel Tuesday's stand-up. All my mails need an answer", "Stand-up", One),
        ("Cancel Tuesday's stand-up. All meetings are a pain.", "Stand-up", One),
        ("cancel the stand-up for all participants", "Stand-up", One),
        ("cancel the stand-up with everyone in all calendars", "Stand-up", One),
        ("cancel all my meetings on Tuesday", "Team meeting", One),
        ("cancel all the meetings of this week", "Team meeting", One),
        ("cancel the weekly stand-up on Tuesday", "Stand-up", One),
        ("cancel the weekly stand-up", "Stand-up", One),
        ("cancel one of the series", "Stand-up", One),
        ("cancel the all day event", "Fair", One),
        ("cancel the stand-up every two weeks", "Stand-up", One),
        ("cancel the meeting from Ana on Tuesday", "Ana", One),
        ("cancel Tuesday's meeting from 10 to 12", "Meeting", One),
        ("cancel Tuesday's stand-up, not all of them", "Stand-up", One),
        ("do not cancel all stand-ups", "Stand-up", One),
        ("read all mails; cancel nothing", "Stand-up", One),
        ("cancel all yoga classes", "Team meeting", One),
        ("cancel all yoga classes and Tuesday's stand-up", "Stand-up", One),
        ("cancel all yoga classes and Tuesday's stand-up", "Yoga class", All),
        ("cancel Tuesday's stand-up and the whole yoga series", "Yoga", All),
        ("cancel Tuesday's stand-up and the whole yoga series", "Stand-up", One),
        ("Cancel Tuesday's stand-up. Look at the yoga series and cancel all of it.", "Stand-up", One),
        ("Cancel Tuesday's stand-up. Look at the yoga series and cancel all of it.", "Yoga", All),
        ("cancel Tuesday's stand-up and that is all", "Stand-up", One),
        ("cancel the stand-up, that's all", "Stand-up", One),
        ("first of all cancel the stand-up", "Stand-up", One),
        ("all right cancel the stand-up", "Stand-up", One),
        ("cancel the stand-up after all", "Stand-up", One),
        ("cancel all remaining meetings today", "Meeting", One),
        ("cancel my upcoming meetings on Tuesday", "Meeting", One),
        ("cancel the stand-up at the beginning of next week", "Stand-up", One),
        ("cancel the stand-up of the series", "Stand-up", One),
        ("cancel the stand-up in the series", "Stand-up", One),
        ("cancel everything", "Stand-up", All),
        ("cancel the remaining stand-ups", "Stand-up", Following),
        ("Sag den Termin ab 10 Uhr am Dienstag ab", "Termin", One),
        ("Sag den Termin ab, das ist alles", "Termin", One),
        ("Sag bitte alles ab", "Termin", All),
        ("Annule tout de suite la réunion", "Réunion", One),
        ("Annule la réunion, c'est tout", "Réunion", One),
        ("Annule tout", "Réunion", All),
        ("cancel all stand-ups", "Daily stand-up", All),
        ("cancel the whole series", "Stand-up", All),
        ("please cancel the series", "Stand-up", All),
        ("On Tuesday, cancel the entire series", "Stand-up", All),
        ("cancel every stand-up", "Stand-up", All),
        ("cancel the stand-up every Tuesday", "Stand-up", All),
        ("cancel the stand-up on Tuesdays", "Stand-up", All),
        ("cancel it altogether", "Stand-up", All),
        ("cancel them all", "Stand-up", All),
        (
            "move this week's meeting to Thursday, cancel it from December on, and then cancel the whole series",
            "Team meeting",
            All,
        ),
        ("cancel the stand-up from December on", "Stand-up", Following),
        ("cancel the stand-up from now on", "Stand-up", Following),
        ("cancel Tuesday's stand-up and all that follow", "Stand-up", Following),
        ("cancel this stand-up and all following ones", "Stand-up", Following),
        ("cancel all future stand-ups", "Stand-up", Following),
        ("cancel Tuesday's stand-up and the rest", "Stand-up", Following),
        ("cancel the future strategy meeting", "Future strategy", One),
        ("cancel all stand-ups starting 2026-12-01", "Stand-up", Following),
        ("Sag den Termin am Dienstag ab", "Termin", One),
        ("Sag den Termin am Dienstag ab und beantworte alle Mails", "Termin", One),
        ("Sag alle Termine ab", "Termin", All),
        ("Sag alle Termine am Dienstag ab", "Termin", One),
        ("Sag die ganze Serie ab", "Yoga", All),
        ("Sag das Yoga jeden Dienstag ab", "Yoga", All),
        ("Sage bitte alle Stand-ups ab dem 1. Dezember ab", "Stand-up", Following),
        ("Sag den Stand-up am Dienstag und alle folgenden ab", "Stand-up", One),
        ("Sag den Stand-up ab Dezember ab", "Stand-up", Following),
        ("Sag den Termin um 10 Uhr für alle Teilnehmer ab", "Termin", One),
        ("Sag den Zahnarzttermin ab", "Zahnarzt", One),
        ("Annule la réunion de mardi et réponds à tous les mails", "Réunion", One),
        ("Annule toutes les réunions", "Réunion", All),
        ("Annule toutes les réunions de mardi", "Réunion", One),
        ("Annule la réunion à partir de décembre", "Réunion", Following),
        ("Annule la réunion de mardi et toutes les suivantes", "Réunion", Following),
        ("Annule la réunion chaque mardi", "Réunion", All),
        ("Annule toute la série", "Réunion", All),
    ] {
        assert_eq!(cancels(task, title), reach, "{task} / {title}: {:#?}", Reaches::of(task));
    }
}

#[test]
fn a_reach_is_one_where_words_except_something() {
    use Reach::{All, Following, One};
    for (task, title, reach) in [
        ("Cancel all my meetings except yoga", "Yoga", One),
        ("Cancel all my meetings excepting yoga", "Yoga", One),
        ("Cancel all my meetings excluding yoga", "Yoga", One),
        ("Cancel all my meetings besides yoga", "Yoga", One),
        ("Cancel all my meetings other than yoga", "Yoga", One),
        ("Cancel all my meetings apart from yoga", "Yoga", One),
        ("Cancel all my meetings but for yoga", "Yoga", One),
        ("Cancel all my meetings but yoga", "Yoga", One),
        ("Cancel all but the last one", "Yoga", One),
        ("Cancel all my meetings, except yoga.", "Yoga", One),
        ("Cancel all my meetings. Except yoga.", "Yoga", One),
        ("Cancel all my meetings, not yoga", "Yoga", One),
        ("Cancel all my meetings. Do not cancel yoga.", "Yoga", One),
        ("Cancel all my meetings. Do not cancel yoga.", "Team meeting", All),
        ("Cancel all my meetings and keep yoga", "Yoga", One),
        ("Cancel all my meetings without yoga", "Yoga", One),
        ("Except for yoga, cancel all my meetings", "Yoga", One),
        ("Sag alle Termine außer Yoga ab", "Yoga", One),
        ("Sag alle Termine ausser Yoga ab", "Yoga", One),
        ("Sag alle Termine bis auf Yoga ab", "Yoga", One),
        ("Sag alle Termine ab, aber Yoga nicht", "Yoga", One),
        ("Annule toutes les réunions sauf le yoga", "Yoga", One),
        ("Annule toutes les réunions excepté le yoga", "Yoga", One),
        ("Annule toutes les réunions hormis le yoga", "Yoga", One),
        ("Cancel all my meetings", "Yoga", All),
        ("Cancel Tuesday's stand-up instead of the whole series", "Stand-up", One),
        ("Cancel the stand-up instead of the whole series", "Stand-up", One),
        ("Cancel the stand-up rather than the whole series", "Stand-up", One),
        ("Cancel only Tuesday's stand-up of the entire series", "Stand-up", One),
        ("Cancel the last stand-up of the entire series", "Stand-up", One),
        ("Sag den Stand-up am Dienstag statt der ganzen Serie ab", "Stand-up", One),
        ("Annule la réunion de mardi au lieu de toute la série", "Réunion", One),
        ("Annule seulement la réunion de toute la série", "Réunion", One),
        ("Cancel the whole series from December on", "Stand-up", Following),
        ("Cancel the second stand-up of the whole series", "Stand-up", One),
        ("Cancel my 10 o'clock of the whole series", "Stand-up", One),
        ("Cancel almost all stand-ups", "Stand-up", One),
        ("Cancel half of all stand-ups", "Stand-up", One),
        ("Sag fast alle Termine ab", "Termin", One),
        ("Annule presque toutes les réunions", "Réunion", One),
        ("Cancel all meetings at 9", "Team meeting", One),
        ("Cancel all meetings before 10", "Team meeting", One),
        ("Sag alle Termine um 10 Uhr ab", "Termin", One),
        ("Delete everything in the description of the stand-up", "Stand-up", One),
        ("Cancel Tuesday's stand-up or all of them", "Stand-up", One),
        ("Either cancel Tuesday's stand-up or cancel the whole series", "Stand-up", One),
        ("Maybe cancel the whole series", "Stand-up", One),
        ("Add a task: cancel all stand-ups", "Stand-up", One),
    ] {
        assert_eq!(cancels(task, title), reach, "{task} / {title}: {:#?}", Reaches::of(task));
    }
}

#[test]
fn a_reach_is_not_read_of_reasons_nor_of_what_is_told() {
    use Reach::{All, Following, One};
    for (task, title, reach) in [
        ("Cancel the next stand-up because all developers are ill", "Stand-up", One),
        ("Cancel the stand-up because of Ana and all her meetings", "Stand-up", One),
        ("Cancel Tuesday's stand-up because I am away from Wednesday on", "Stand-up", One),
        ("Cancel the stand-up as all developers are ill", "Stand-up", One),
        ("Cancel all stand-ups until Friday", "Stand-up", One),
        ("Cancel all stand-ups unless Ana comes", "Stand-up", One),
        ("Cancel all car inspections", "Stand-up", One),
        ("Cancel all stand-ups because I am ill", "Stand-up", All),
        ("Cancel all the next stand-up", "Stand-up", One),
        ("Cancel this stand-up altogether", "Stand-up", One),
        ("Sag den nächsten Stand-up ab, weil alle krank sind", "Stand-up", One),
        ("Sag den Stand-up ab weil alle Entwickler krank sind", "Stand-up", One),
        ("Annule cette réunion car toutes les salles sont prises", "Réunion", One),
        ("Annule la prochaine réunion parce que tous sont malades", "Réunion", One),
        ("Cancel Tuesday's stand-up, we have it every week", "Stand-up", One),
        ("Cancel Tuesday's stand-up; we have it every day.", "Stand-up", One),
        ("Cancel Tuesday's stand-up and we have it every day", "Stand-up", One),
        ("Cancel Tuesday's stand-up but the rest can be as is", "Stand-up", One),
        ("Cancel Tuesday's stand-up and keep the rest", "Stand-up", One),
        ("Cancel Tuesday's stand-up, keep all the others", "Stand-up", One),
        ("Cancel Tuesday's stand-up: all that follow", "Stand-up", One),
        ("Sag den Stand-up am Dienstag ab, wir haben ihn jeden Tag", "Stand-up", One),
        ("Annule la réunion de mardi, on en a chaque jour", "Réunion", One),
        ("Cancel Tuesday's stand-up and all that follow as well", "Stand-up", Following),
        ("Cancel the stand-up (we have it every day)", "Stand-up", One),
        ("Cancel the stand-up which we have every day", "Stand-up", One),
        ("Cancel the stand-up that happens every Tuesday", "Stand-up", One),
        ("Cancel the stand-up (all developers are ill)", "Stand-up", One),
        ("Annule la réunion qui a lieu chaque mardi", "Réunion", One),
        ("Ana wants to cancel all stand-ups", "Stand-up", One),
        ("They cancel all stand-ups in December", "Stand-up", One),
        ("Should I move or cancel all stand-ups?", "Stand-up", One),
        ("Tell me how to cancel all stand-ups", "Stand-up", One),
        ("Soll ich alle Stand-ups absagen?", "Stand-up", One),
        ("Cancel the world series finale", "World series finale", One),
        ("Cancel the yoga series meeting", "Yoga", One),
        ("Could you please cancel all stand-ups", "Stand-up", All),
        ("I'd like you to cancel all stand-ups", "Stand-up", All),
        ("Kannst du bitte alle Stand-ups absagen", "Stand-up", All),
    ] {
        assert_eq!(cancels(task, title), reach, "{task} / {title}: {:#?}", Reaches::of(task));
    }
}

#[test]
fn a_reach_is_not_bounded_by_an_excuse_nor_by_a_wish_of_silence() {
    use Reach::{All, Following, One};
    for (task, title, reach) in [
        ("Cancel the whole series, I can't make it", "Stand-up", All),
        ("Cancel the whole series, I can\u{2019}t make it any more.", "Stand-up", All),
        ("Cancel all stand-ups because I can't attend", "Stand-up", All),
        ("Cancel all stand-ups, we won't be able to come", "Stand-up", One),
        ("Cancel all stand-ups; unfortunately I cannot come", "Stand-up", All),
        ("I can't make it, cancel the whole series", "Stand-up", All),
        ("Cancel the stand-up from December on, I'm not going any more", "Stand-up", Following),
        ("Cancel the whole series and don't tell anyone", "Stand-up", All),
        ("Cancel the whole series without telling anyone", "Stand-up", All),
        ("Sag die ganze Serie ab, ich kann nicht kommen", "Yoga", All),
        ("Sag alle Yoga-Termine ab, ich schaffe es nicht mehr", "Yoga", All),
        ("Sag die ganze Serie ab, weil ich keine Zeit habe", "Yoga", All),
        ("Annule toute la s\u{e9}rie, je ne peux pas venir", "R\u{e9}union", All),
        ("Annule toutes les r\u{e9}unions parce que je ne peux plus y aller", "R\u{e9}union", All),
        ("Cancel Tuesday's stand-up, I can't make it", "Stand-up", One),
        ("Cancel the stand-up, I can't make it", "Stand-up", One),
        // A "not" of anything else may except something.
        ("Cancel all stand-ups, I can't make it on Tuesday", "Stand-up", One),
        ("Cancel all stand-ups I can't attend", "Stand-up", One),
        ("Cancel all stand-ups that I can't make", "Stand-up", One),
        ("Cancel all stand-ups which I cannot attend", "Stand-up", One),
        ("Cancel all my meetings, not yoga, I can't come", "Yoga", One),
        ("Cancel the whole series, I don't want Tuesday's cancelled", "Stand-up", One),
        ("Cancel the whole series, but not it", "Stand-up", One),
        ("Cancel all stand-ups, don't cancel the last", "Stand-up", One),
        ("Sag alle Termine ab, zu denen ich nicht kommen kann", "Yoga", One),
        ("Annule les r\u{e9}unions o\u{f9} je ne peux pas aller", "R\u{e9}union", One),
    ] {
        assert_eq!(cancels(task, title), reach, "{task} / {title}: {:#?}", Reaches::of(task));
    }
}

#[test]
fn a_reach_of_mails_and_other_things_is_none_of_a_series() {
    for task in [
        "Delete all mails about yoga",
        "Delete all mails about the yoga session",
        "Delete all newsletters about yoga",
        "Delete all notes about yoga",
        "Delete all future notes about yoga",
        "Move all mails about yoga to the archive",
        "Move all files about yoga to the archive",
        "Cancel Tuesday's yoga and archive all mails about yoga",
        "Cancel Tuesday's yoga and unsubscribe me from all newsletters",
        "Lösche alle Mails über Yoga",
        "Supprime tous les courriels sur le yoga",
    ] {
        let read = Reaches::of(task);
        assert_eq!(read.meant(Verb::Cancel, "Yoga session"), Reach::One, "{task}: {read:#?}");
        assert_eq!(read.meant(Verb::Change, "Yoga session"), Reach::One, "{task}: {read:#?}");
        assert_eq!(read.meant(Verb::Cancel, "Stand-up"), Reach::One, "{task}: {read:#?}");
    }
}

#[test]
fn a_reach_of_a_change_is_not_one_of_a_cancellation() {
    let task = "move all stand-ups to 10:00 and cancel Tuesday's yoga";
    let read = Reaches::of(task);
    assert_eq!(read.meant(Verb::Change, "Stand-up"), Reach::All);
    assert_eq!(read.meant(Verb::Cancel, "Stand-up"), Reach::One);
    assert_eq!(read.meant(Verb::Cancel, "Yoga"), Reach::One);
    for (task, reach) in [
        ("move the stand-up to Thursday", Reach::One),
        ("move all stand-ups to Thursday", Reach::All),
        ("move all stand-ups from Tuesday to Thursday", Reach::One),
        ("move the stand-up from Tuesday to Thursday", Reach::One),
        ("move the stand-up to 10 from December on", Reach::Following),
        ("move the stand-up from Tuesday on Zoom", Reach::One),
        ("Verschieb alle Stand-ups auf Donnerstag", Reach::All),
        ("Lege die Stand-ups ab Dienstag auf 10 Uhr um", Reach::Following),
        ("Déplace toutes les stand-up à jeudi", Reach::All),
        ("move the stand-up to 10 for all the guests and tell everyone", Reach::One),
    ] {
        assert_eq!(Reaches::of(task).meant(Verb::Change, "Stand-up"), reach, "{task}: {:#?}", Reaches::of(task));
    }
}

#[test]
fn a_reach_of_very_many_words_is_read_in_bounded_room() {
    let many: String = (0..2_000).map(|at| format!("cancel thing{at} and ")).collect();
    let read = Reaches::of(&format!("{many} all stand-ups"));
    assert!(read.topics.len() <= MAX_TOPICS);
    assert_eq!(read.meant(Verb::Cancel, "Stand-up"), Reach::One, "what is beyond the bound asks");
}
