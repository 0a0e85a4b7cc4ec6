//! The trace of the driver's calls: what is in it, and what it says about overlap. One test, in a process of its own.

use cudarc::driver::{CudaContext, result};
use trawl_emulator::direct::Kernels;
use trawl_emulator::{Call, CallKind, Variant, start_trace, trace};

#[test]
fn a_copy_stands_behind_what_its_stream_was_told_to_wait_for() {
    trawl_emulator::install_from(&Kernels::Own.folder(Variant::Checked));
    let context = CudaContext::new(0).expect("a device");
    let streams = [context.new_stream().expect("a stream"), context.new_stream().expect("a stream")];
    // SAFETY: written before it is read, and freed behind all uses: the test waits at its end.
    let (mut pinned, target) = unsafe {
        let pinned = context.alloc_pinned_with_flags::<u8>(300, 0).expect("memory");
        (pinned, [result::malloc_sync(100).expect("memory"), result::malloc_sync(100).expect("memory")])
    };
    pinned.as_mut_slice().expect("nothing is on its way").fill(1);
    let pageable = [2_u8; 100];
    let mut back = [0_u8; 100];

    start_trace();
    let pinned = pinned.as_slice().expect("nothing is on its way");
    // SAFETY: all copies are of 100 bytes, which is what there is on either side.
    unsafe {
        result::memcpy_htod_async(target[0], &pinned[..100], streams[0].cu_stream()).expect("a copy");
        result::memcpy_htod_async(target[1], &pageable, streams[1].cu_stream()).expect("a copy");
        let event = streams[0].record_event(None).expect("an event");
        streams[1].wait(&event).expect("an order");
        result::memcpy_htod_async(target[1], &pinned[..100], streams[1].cu_stream()).expect("a copy");
        result::memcpy_dtoh_async(&mut back, target[1], streams[1].cu_stream()).expect("a copy");
        event.synchronize().expect("it passes");
    }
    let trace = trace();
    for address in target {
        // SAFETY: nothing uses it any more.
        unsafe { result::free_sync(address) }.expect("live memory");
    }

    let of = |kind: CallKind| -> Vec<usize> {
        (0..trace.calls.len()).filter(|place| trace.calls[*place].kind == kind).collect()
    };
    let (uploads, downloads) = (of(CallKind::Upload), of(CallKind::Download));
    let call = |place: usize| -> &Call { &trace.calls[place] };
    let pinned: Vec<bool> = uploads.iter().chain(&downloads).map(|place| call(*place).pinned).collect();
    assert_eq!(pinned, [true, false, true, false]);
    assert!(uploads.iter().all(|place| call(*place).bytes == 100));
    assert!(call(uploads[0]).stream != call(uploads[1]).stream && call(uploads[1]).stream == call(uploads[2]).stream);
    // Two streams know nothing of each other until one waits for an event of the other.
    assert!(!trace.before(uploads[1]).contains(&uploads[0]));
    assert!(trace.before(uploads[2]).contains(&uploads[0]) && trace.before(uploads[2]).contains(&uploads[1]));
    // A copy to pageable memory makes the host wait.
    let [wait] = of(CallKind::WaitForStream)[..] else { panic!("{:?}", trace.calls) };
    assert!(trace.before(wait).contains(&downloads[0]));
    let [wait] = of(CallKind::WaitForEvent)[..] else { panic!("{:?}", trace.calls) };
    assert!(trace.before(wait).contains(&uploads[0]) && !trace.before(wait).contains(&uploads[1]));
    assert_eq!(back, [1; 100]);
}
