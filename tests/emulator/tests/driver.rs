//! The driver through cudarc, as the project uses it.

use std::sync::Arc;

use cudarc::driver::{CudaContext, CudaFunction, CudaStream, DriverError, LaunchConfig, PushKernelArg, sys};
use cudarc::nvrtc::Ptx;
use trawl_emulator::Variant;
use trawl_emulator::direct::Kernels;

/// An image that names the kernels, as a fatbin would.
const IMAGE: &str = ".version 9.0\n.visible .entry order_block_sum(\n.visible .entry memory_copy(\n\
                     .visible .entry memory_dynamic(\n.visible .entry not_built(\n";

fn context(device: usize) -> Arc<CudaContext> {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // SAFETY: once, while the other tests wait here; the driver reads the environment at its first call, below.
        unsafe {
            std::env::set_var("TRAWL_EMULATOR_DEVICES", "2");
            std::env::set_var("TRAWL_EMULATOR_MEMORY", "1000000");
        }
        trawl_emulator::install_from(&Kernels::Own.folder(Variant::Checked));
    });
    CudaContext::new(device).expect("two devices")
}

fn function(context: &Arc<CudaContext>, name: &str) -> Result<CudaFunction, DriverError> {
    context.load_module(Ptx::from_src(IMAGE))?.load_function(name)
}

fn config(blocks: u32, threads: u32, shared_mem_bytes: u32) -> LaunchConfig {
    LaunchConfig { grid_dim: (blocks, 1, 1), block_dim: (threads, 1, 1), shared_mem_bytes }
}

fn copy_on_device(stream: &Arc<CudaStream>, values: &[f32]) -> Result<Vec<f32>, DriverError> {
    let copy = function(stream.context(), "memory_copy")?;
    let input = stream.clone_htod(values)?;
    let mut output = stream.alloc_zeros::<f32>(values.len())?;
    let mut launch = stream.launch_builder(&copy);
    launch.arg(&input).arg(&mut output);
    // SAFETY: the kernel takes two pointers to as many values as there are threads.
    unsafe { launch.launch(config(1, values.len() as u32, 0)) }?;
    stream.clone_dtoh(&output)
}

#[test]
fn devices_say_what_they_are() {
    let second = context(1);
    assert_eq!(CudaContext::device_count(), Ok(2));
    assert_eq!(second.name().as_deref(), Ok("Emulated CUDA device 1"));
    assert_eq!(second.compute_capability(), Ok((8, 0)));
    assert_eq!(second.total_mem(), Ok(1_000_000));
    assert!(second.uuid().is_ok());
    assert_eq!(CudaContext::new(2).err().map(|e| e.0), Some(sys::CUresult::CUDA_ERROR_INVALID_DEVICE));
}

#[test]
fn a_kernel_runs_on_each_device_and_on_any_stream() {
    let values: Vec<f32> = (0..96).map(|i| i as f32).collect();
    for device in 0..2 {
        let context = context(device);
        for stream in [context.default_stream(), context.new_stream().expect("a stream")] {
            assert_eq!(copy_on_device(&stream, &values).as_deref(), Ok(&values[..]));
        }
    }
}

#[test]
fn a_module_gives_only_kernels_that_its_image_has() {
    let context = context(0);
    let missing = |name| function(&context, name).err().map(|e| e.0);
    assert_eq!(missing("order_rounds"), Some(sys::CUresult::CUDA_ERROR_NOT_FOUND), "built, but not in the image");
    assert_eq!(missing("memory"), Some(sys::CUresult::CUDA_ERROR_NOT_FOUND), "only part of a name");
    assert_eq!(missing("not_built"), Some(sys::CUresult::CUDA_ERROR_NOT_FOUND), "in the image, but not built");
    let garbage = context.load_module(Ptx::from_binary(b"no image at all".to_vec()));
    assert_eq!(garbage.err().map(|e| e.0), Some(sys::CUresult::CUDA_ERROR_INVALID_IMAGE));
}

#[test]
fn a_launch_keeps_to_the_functions_limits() {
    let context = context(0);
    let stream = context.new_stream().expect("a stream");
    let sum = function(&context, "order_block_sum").expect("in the image");
    assert_eq!(sum.get_attribute(sys::CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK), Ok(256));
    assert_eq!(sum.occupancy_max_active_blocks_per_multiprocessor(256, 0, None), Ok(8));

    let dynamic = function(&context, "memory_dynamic").expect("in the image");
    let output = stream.alloc_zeros::<f32>(64).expect("room");
    let launch = |bytes| {
        let mut launch = stream.launch_builder(&dynamic);
        launch.arg(&output);
        // SAFETY: the kernel takes a pointer to 64 values, and shared memory for as many.
        unsafe { launch.launch(config(1, 64, bytes)) }.map(drop)
    };
    assert_eq!(launch(60_000).err().map(|e| e.0), Some(sys::CUresult::CUDA_ERROR_INVALID_VALUE));
    let attribute = sys::CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
    dynamic.set_attribute(attribute, 60_000).expect("less than a block can have");
    assert_eq!(launch(60_000), Ok(()));
    assert!(dynamic.set_attribute(attribute, 200_000).is_err());
    stream.synchronize().expect("a clean launch");
}

#[test]
fn memory_has_a_limit_and_comes_back() {
    let context = context(1);
    let stream = context.new_stream().expect("a stream");
    let slice = stream.alloc_zeros::<u8>(900_000).expect("room");
    let refused = stream.alloc_zeros::<u8>(200_000);
    assert_eq!(refused.err().map(|e| e.0), Some(sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY));
    drop(slice);
    stream.alloc_zeros::<u8>(900_000).expect("the freed memory is there again");
}

#[test]
fn events_order_streams_and_measure() {
    let context = context(0);
    let (first, second) = (context.new_stream().expect("a stream"), context.new_stream().expect("a stream"));
    let timed = Some(sys::CUevent_flags::CU_EVENT_DEFAULT);
    let start = first.record_event(timed).expect("an event");
    let values = vec![1.0_f32; 64];
    let copied = first.clone_htod(&values).expect("room");
    let end = first.record_event(timed).expect("an event");
    second.wait(&end).expect("same context");
    assert_eq!(second.clone_dtoh(&copied).as_deref(), Ok(&values[..]));
    assert!(start.elapsed_ms(&end).expect("both recorded") > 0.0);
    let untimed = first.record_event(None).expect("an event");
    assert!(start.elapsed_ms(&untimed).is_err(), "an event without timing has no time");
}

#[test]
fn a_pinned_buffer_that_is_refilled_too_early_shows() {
    let context = context(0);
    let stream = context.new_stream().expect("a stream");
    let upload = |is_synchronised: bool| {
        // SAFETY: filled before it is read.
        let mut pinned = unsafe { context.alloc_pinned_with_flags::<f32>(64, 0) }.expect("host memory");
        let mut device = stream.alloc_zeros::<f32>(64).expect("room");
        // Raw copies: cudarc's own would wait for the buffer's last use.
        let source = {
            let slice = pinned.as_mut_slice().expect("idle");
            slice.fill(1.0);
            slice.as_mut_ptr()
        };
        let address = {
            use cudarc::driver::DevicePtrMut;
            device.device_ptr_mut(&stream).0
        };
        // SAFETY: source and target have 256 bytes; the pinned memory outlives the synchronisation below.
        unsafe {
            assert_eq!(
                sys::cuMemcpyHtoDAsync_v2(address, source.cast(), 256, stream.cu_stream()),
                sys::CUresult::CUDA_SUCCESS
            );
            if is_synchronised {
                stream.synchronize().expect("a copy");
            }
            std::slice::from_raw_parts_mut(source, 64).fill(2.0);
        }
        let values = stream.clone_dtoh(&device).expect("a copy");
        values[0]
    };
    assert_eq!(upload(true), 1.0);
    assert_eq!(upload(false), 2.0, "the copy reads the buffer when it runs");
}

#[test]
fn what_streams_do_not_order_is_seen_in_some_seed() {
    let context = context(0);
    let (first, second) = (context.new_stream().expect("a stream"), context.new_stream().expect("a stream"));
    let mut device = first.alloc_zeros::<f32>(64).expect("room");
    first.synchronize().expect("zeroed");
    let address = {
        use cudarc::driver::DevicePtrMut;
        device.device_ptr_mut(&first).0
    };
    let ones = vec![1.0_f32; 64];
    let mut late = 0;
    for _ in 0..64 {
        let mut read = vec![9.0_f32; 64];
        // SAFETY: all ranges have 256 bytes. Raw calls: cudarc's own would order the streams by events.
        unsafe {
            sys::cuMemsetD8Async(address, 0, 256, first.cu_stream());
            sys::cuStreamSynchronize(first.cu_stream());
            sys::cuMemcpyHtoDAsync_v2(address, ones.as_ptr().cast(), 256, first.cu_stream());
            sys::cuMemcpyDtoHAsync_v2(read.as_mut_ptr().cast(), address, 256, second.cu_stream());
            sys::cuStreamSynchronize(first.cu_stream());
        }
        late += usize::from(read[0] == 0.0);
    }
    assert!(late > 8 && late < 56, "the download came first {late} times of 64");
}

#[test]
fn a_pointer_of_another_device_is_refused() {
    let (first, second) = (context(0), context(1));
    let (here, there) = (first.new_stream().expect("a stream"), second.new_stream().expect("a stream"));
    let foreign = there.alloc_zeros::<f32>(64).expect("room");
    there.synchronize().expect("zeroed");
    let address = {
        use cudarc::driver::DevicePtr;
        foreign.device_ptr(&there).0
    };
    first.bind_to_thread().expect("a context");
    let mut read = [0.0_f32; 64];
    // SAFETY: both ranges have 256 bytes.
    let result = unsafe { sys::cuMemcpyDtoHAsync_v2(read.as_mut_ptr().cast(), address, 256, here.cu_stream()) };
    assert_eq!(result, sys::CUresult::CUDA_ERROR_INVALID_VALUE);
    let mut copy = here.alloc_zeros::<f32>(64).expect("room");
    here.memcpy_dtod(&foreign, &mut copy).expect("a copy between devices is a call of its own");
    assert_eq!(here.clone_dtoh(&copy).expect("a copy"), vec![0.0; 64]);
}
