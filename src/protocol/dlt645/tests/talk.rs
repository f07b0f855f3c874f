//! Questions and answers that fit each other, and those that do not.

use super::*;

const ID: DataId = DataId(0x0001_0000);

fn asked() -> Frame {
    read(Edition::V2007, address(), ID)
}

fn said(request: &Frame, answer: &Frame) -> Result<Reply, Mismatch> {
    reply(Edition::V2007, request, answer)
}

#[test]
fn an_address_is_twelve_digits_or_wild_pairs() {
    for text in ["123456789012", "AAAAAAAAAAAA", "AAAA12345678", "000000000000"] {
        assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
    }
    let wrong =
        ["", "12345678901", "1234567890123", "12345678901X", "1A3456789012", "1AA456789012"];
    for text in wrong.into_iter().chain(["电表电表", " 23456789012", "+23456789012"]) {
        let fault = text.parse::<Address>().unwrap_err();
        assert!(fault.to_string().contains(text) && fault.zh().contains(text), "{text}");
    }
    assert_eq!(
        "123456789012".parse::<Address>().unwrap().wire(),
        [0x12, 0x90, 0x78, 0x56, 0x34, 0x12]
    );
}

#[test]
fn wild_pairs_match_any_and_plain_addresses_name_one_meter() {
    let low = Address::low(&[0x12, 0x90]);
    assert_eq!(low.to_string(), "AAAAAAAA9012");
    assert!(low.matches(address()) && address().matches(low) && Address::ANY.matches(address()));
    assert!(!Address::low(&[0x13]).matches(address()));
    assert!(address().is_plain());
    for none in [low, Address::ANY, Address::BROADCAST, Address::from_wire([0x1F; 6])] {
        assert!(!none.is_plain(), "{none}");
    }
}

#[test]
fn an_answer_to_the_question_is_taken() {
    let answer = answer_data(&asked(), ID, &[1, 2, 3, 4], false, None);
    let value = vec![1, 2, 3, 4];
    let wanted = Reply::Data { id: ID, more: false, seq: None, value };
    assert_eq!(said(&asked(), &answer), Ok(wanted.clone()));
    // A wild question takes whoever answers.
    let wild = read(Edition::V2007, Address::ANY, ID);
    assert_eq!(said(&wild, &answer), Ok(wanted));
}

#[test]
fn an_answer_to_another_question_names_what_differs() {
    let good = answer_data(&asked(), ID, &[1, 2, 3, 4], false, None);
    assert_eq!(said(&asked(), &asked()), Err(Mismatch::NotAnAnswer { control: 0x11 }));
    let other: Address = "123456789013".parse().unwrap();
    let stranger = Frame { address: other, ..good.clone() };
    assert_eq!(said(&asked(), &stranger), Err(Mismatch::Address { asked: address(), got: other }));
    let address_reply = Frame { control: 0x93, ..good.clone() };
    assert_eq!(said(&asked(), &address_reply), Err(Mismatch::Function { asked: 0x11, got: 0x13 }));
    let late = answer_data(&asked(), DataId(0x0002_0000), &[1, 2, 3, 4], false, None);
    let wanted = Mismatch::Identifier { asked: ID, got: DataId(0x0002_0000) };
    assert_eq!(said(&asked(), &late), Err(wanted));
    assert_eq!(wanted.to_string(), "identifier 00020000 answers to 00010000");
    assert!(wanted.zh().contains("00020000"));
    let cut = Frame { data: vec![0, 0, 1], ..good };
    assert_eq!(said(&asked(), &cut), Err(Mismatch::TooShort { function: 0x11, got: 3, least: 4 }));
    let next = read_next(address(), ID, 2);
    let part = answer_data(&next, ID, &[1], false, Some(1));
    assert_eq!(said(&next, &part), Err(Mismatch::Sequence { asked: 2, got: 1 }));
    let part = answer_data(&next, ID, &[], false, None);
    assert_eq!(said(&next, &part), Err(Mismatch::TooShort { function: 0x12, got: 4, least: 5 }));
}

#[test]
fn a_refusal_says_why_in_both_languages() {
    let refused = answer_refused(&asked(), ErrorBits(0x06));
    assert!(refused.is_refusal());
    assert_eq!(said(&asked(), &refused), Ok(Reply::Refused(ErrorBits(0x06))));
    assert_eq!(ErrorBits(0x06).en(), "no such data, wrong password or not authorised");
    assert_eq!(ErrorBits(0x06).zh(), "无请求数据、密码错或未授权");
    let silent = Frame { data: Vec::new(), ..refused };
    assert_eq!(said(&asked(), &silent), Ok(Reply::Refused(ErrorBits(0))));
    assert_eq!(ErrorBits(0).en(), "no cause given");
}

#[test]
fn the_address_of_the_only_meter_is_read() {
    let request = read_address();
    assert_eq!((request.control, request.address, request.data.len()), (0x13, Address::ANY, 0));
    let answer = answer_address(&request, address());
    assert_eq!(said(&request, &answer), Ok(Reply::Address(address())));
    let narrowed = read_address_of(Address::low(&[0x12]));
    assert_eq!(said(&narrowed, &answer), Ok(Reply::Address(address())));
    assert!(said(&read_address_of(Address::low(&[0x13])), &answer).is_err());
}

#[test]
fn the_edition_of_1997_has_its_own_codes() {
    let request = read(Edition::V1997, address(), DataId(0x9010));
    assert_eq!((request.control, request.data.as_slice()), (0x01, &[0x10, 0x90][..]));
    let answer = answer_data(&request, DataId(0x9010), &[1, 2, 3, 4], false, None);
    assert_eq!(answer.control, 0x81);
    let Ok(Reply::Data { id, value, .. }) = reply(Edition::V1997, &request, &answer) else {
        panic!("no data");
    };
    assert_eq!((id, value), (DataId(0x9010), vec![1, 2, 3, 4]));
    let refused = answer_refused(&request, ErrorBits::NO_DATA);
    assert_eq!(refused.control, 0xC1);
}

fn collect() -> Collect {
    Collect::new(Edition::V2007, address(), ID)
}

fn data(more: bool, seq: Option<u8>, value: &[u8]) -> Reply {
    Reply::Data { id: ID, more, seq, value: value.to_vec() }
}

#[test]
fn a_value_in_several_frames_is_put_together() {
    let mut collect = collect();
    assert_eq!(collect.push(data(true, None, &[1, 2])), Next::Ask(read_next(address(), ID, 1)));
    assert_eq!(collect.push(data(true, Some(1), &[3])), Next::Ask(read_next(address(), ID, 2)));
    assert_eq!(collect.push(data(false, Some(2), &[4])), Next::Done(vec![1, 2, 3, 4]));
    // And it can begin anew.
    assert_eq!(collect.push(data(false, None, &[9])), Next::Done(vec![9]));
}

#[test]
fn a_wrong_part_throws_the_value_away() {
    for (got, second) in [(Some(2), Some(2)), (None, None), (Some(0), Some(0))] {
        let mut collect = collect();
        collect.push(data(true, None, &[1]));
        let wanted = Next::Abort(Aborted::Sequence { expected: 1, got });
        assert_eq!(collect.push(data(false, second, &[2])), wanted);
        assert_eq!(collect.push(data(false, None, &[9])), Next::Done(vec![9]));
    }
    let refused = Reply::Refused(ErrorBits::NO_DATA);
    assert_eq!(collect().push(refused), Next::Abort(Aborted::Refused(ErrorBits::NO_DATA)));
    assert_eq!(collect().push(Reply::Done), Next::Abort(Aborted::NoData));
}

#[test]
fn a_value_without_end_is_given_up() {
    let mut collect = collect();
    let mut asked = 0;
    let mut seq = None;
    let aborted = loop {
        match collect.push(data(true, seq, &[0; 8])) {
            Next::Ask(frame) => {
                asked += 1;
                seq = frame.data.last().copied();
            }
            Next::Abort(aborted) => break aborted,
            Next::Done(_) => panic!("it never ends"),
        }
    };
    assert_eq!((aborted, asked), (Aborted::TooLong, FOLLOW_MAX - 1));
    let long = vec![0; VALUE_MAX + 1];
    assert_eq!(collect.push(data(false, None, &long)), Next::Abort(Aborted::TooLong));
    let mut old = Collect::new(Edition::V1997, address(), ID);
    assert_eq!(old.push(data(true, None, &[1])), Next::Abort(Aborted::Edition));
}

#[test]
fn debug_output_does_not_tell_the_password() {
    let frame = time_sync(super::super::super::MeterTime {
        year: 2026,
        month: 11,
        day: 20,
        hour: 14,
        minute: 0,
        second: 0,
    });
    assert_eq!(frame.data, [0x00, 0x00, 0x14, 0x20, 0x11, 0x26]);
    let asked = Relay {
        act: RelayAct::Trip,
        level: 2,
        password: [0x98, 0x76, 0x54],
        operator: [0; 4],
        valid_until: super::super::super::MeterTime {
            year: 2026,
            month: 11,
            day: 20,
            hour: 14,
            minute: 0,
            second: 0,
        },
    };
    // 98H is 152.
    assert!(!format!("{asked:?}").contains("152"));
    assert!(!format!("{asked:?}").contains("password"));
}
