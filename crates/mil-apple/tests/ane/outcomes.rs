//! What the experiments saw, through the bridge.

use crate::common::*;
use mil_apple::BridgeError;
use mil_apple::ane::chaining::*;
use mil_apple::ane::{
    Client, ClientModel, LoadedAne, Mapper, Options, Route, SharedEvent, SharedEvents, SignalEvent,
    WaitEvent, device, evaluate,
};
use mil_apple::objc::autoreleasepool;
use mil_doubles::behaviour::break_one;

fn loaded() -> LoadedAne {
    LoadedAne::new(example("relu.mil"), &options()).unwrap()
}

fn threw(outcome: &Outcome, what: &str) {
    let Outcome::Threw { reason, .. } = outcome else { panic!("{outcome}") };
    assert!(reason.contains(what), "{reason}");
}

fn code(result: Result<(), BridgeError>) -> i64 {
    Outcome::from(result).code().unwrap()
}

#[test]
fn chains_validate_and_prepare_as_documented() {
    let _alone = alone();
    autoreleasepool(|_| {
        let loaded = loaded();
        let model = loaded.program().model();
        let (memory, inner) = (ClientModel::in_memory(model), ClientModel::inner(model).unwrap());
        let (shared, fresh) = (Client::shared().unwrap(), Client::fresh().unwrap());
        let (input, output) = (Buffer::new(64, 0, 0).unwrap(), Buffer::new(64, 0, 9).unwrap());
        let set = OutputSet::new(&[&output]).unwrap();
        let nothing = OutputSet::without_statistics(&[&output]).unwrap_err();
        assert!(matches!(nothing, BridgeError::Null { .. }), "{nothing}");

        let right = Parts::new(vec![input.object()], vec![set.object()]);
        let request = ChainingRequest::new(&right).unwrap();
        assert_eq!(request.validate(), Outcome::Yes);
        threw(&prepare(&shared, &memory, &request, 21), "getUUID");
        for client in [&shared, &fresh] {
            assert_eq!(prepare(client, &inner, &request, 21).code(), Some(15));
            assert_eq!(do_prepare(client, &inner, &request, 21).code(), Some(15));
        }

        let plain = PlainSurface::new(64).unwrap();
        let parts = Parts::new(vec![plain.object()], vec![set.object()]);
        let wrong = ChainingRequest::new(&parts).unwrap();
        assert_eq!(wrong.validate(), Outcome::No);
        threw(&prepare(&shared, &inner, &wrong, 21), "symbolIndex");
        let parts = Parts { loopback_inputs: Value::Number(0), ..right.clone() };
        threw(&prepare(&shared, &inner, &ChainingRequest::new(&parts).unwrap(), 21), "count");
        let parts = Parts { procedure: Value::Numbers(vec![0]), ..right.clone() };
        threw(&prepare(&shared, &inner, &ChainingRequest::new(&parts).unwrap(), 21), "unsignedIntegerValue");

        let ready = InputsReady::new(0, &[0], &[1], 0).unwrap();
        assert!(ready.validate().unwrap());
        assert_eq!(buffers_ready(&fresh, &inner, &ready, 21), Outcome::No);
        let set = OutputEnqueue::new(0, 0, 1, true).unwrap();
        assert_eq!(enqueue(&fresh, &inner, &set, 21), Outcome::No);

        // The contradicted report.
        let _other = break_one("ane/chaining-prepare-15").unwrap();
        assert_eq!(prepare(&fresh, &inner, &request, 21), Outcome::Yes);
        assert_eq!(prepare(&shared, &inner, &request, 21).code(), Some(15));
    });
}

#[test]
fn models_of_folders_are_shells() {
    let _alone = alone();
    autoreleasepool(|_| {
        let loaded = loaded();
        let (client, model) = (Client::shared().unwrap(), loaded.program().model());
        let mut shell = ClientModel::shell(std::path::Path::new("/tmp/none"), "key").unwrap();
        assert_eq!((shell.state().unwrap(), shell.program_handle().unwrap()), (1, 0));
        assert_eq!((shell.input_symbols(0).unwrap(), shell.has_procedure(0).unwrap()), (vec![], false));
        let inner = ClientModel::inner(model).unwrap();
        assert_eq!((inner.state().unwrap(), inner.output_symbols(0).unwrap()), (3, vec![0]));
        for result in [client.compile(&shell, 21), client.load(&shell, 21)] {
            let outcome = Outcome::from(result);
            assert!(outcome.to_string().contains("model.espresso.net"), "{outcome}");
        }
        assert_eq!(shell.state().unwrap(), 5);
        shell.populate(model).unwrap();
        assert_eq!(shell.program_handle().unwrap(), inner.program_handle().unwrap());
        assert_eq!(code(client.load_real_time(&inner, 21)), 2);
        assert!(!client.begin_real_time_task().unwrap() && !client.end_real_time_task().unwrap());
        // It has none of the methods, and is not asked.
        assert!(ClientModel::in_memory(model).input_symbols(0).is_err());
    });
}

#[test]
fn surfaces_are_not_mapped_and_no_statistics_come() {
    let _alone = alone();
    autoreleasepool(|_| {
        let loaded = loaded();
        let (client, model) = (Client::shared().unwrap(), loaded.program().model());
        let inner = ClientModel::inner(model).unwrap();
        let (ports, mut request) = loaded.request(None).unwrap();
        assert_eq!(code(client.map(&inner, &request)), 13);
        assert_eq!(code(model.map(request.object())), 13);
        let mapper = Mapper::of_program(inner.program_handle().unwrap()).unwrap();
        assert_eq!(code(mapper.map(&inner, &request)), 13);
        let thrown = Mapper::of_controller(request.object()).unwrap_err();
        assert!(matches!(thrown, BridgeError::Exception { .. }), "{thrown}");
        request.poison().unwrap();
        client.evaluate(&inner, &request, 21).unwrap();
        assert!(request.read(&ports.outputs, "evaluate").is_ok());
        assert!(!request.has_statistics().unwrap());
    });
}

#[test]
fn shared_events_construct_and_do_no_good() {
    let _alone = alone();
    autoreleasepool(|_| {
        let loaded = loaded();
        let (_, mut request) = loaded.request(None).unwrap();
        let event = SharedEvent::new().unwrap();
        let signals: Vec<SignalEvent> =
            (0..3).map(|kind| SignalEvent::new(1, 0, kind, &event).unwrap()).collect();
        assert!(SignalEvent::new(1, 0, 6, &event).is_err());
        let events = SharedEvents::new(&signals, &[WaitEvent::new(1, &event).unwrap()]).unwrap();
        request.attach_events(events.object()).unwrap();
        let model = loaded.program().model();
        let stalled = Outcome::from(evaluate(model, &mut request, Route::Standard, 21).map(|_| ()));
        assert_eq!(stalled.code(), Some(3));
        let crashed = evaluate(model, &mut request, Route::ProcessRequest, 21).unwrap_err();
        assert!(matches!(crashed, BridgeError::Exception { .. }), "{crashed}");
    });
}

#[test]
fn the_engine_of_the_doubles_is_none() {
    let device = device().unwrap();
    assert!(!device.present && device.architecture == "double", "{device:?}");
}

#[test]
fn every_class_of_service_is_accepted() {
    let _alone = alone();
    let checked = example("relu.mil");
    let given = inputs(&checked, None, 1);
    let want = on_cpu(&checked, None, &given);
    for qos in [0, 21, 63] {
        let runtime = mil_apple::ane::Ane::new(Options { qos, ..options() }).unwrap();
        assert_eq!(outputs(&runtime, &checked, None, &given), want);
    }
}
