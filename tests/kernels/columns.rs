//! Copies between the host and the device: every length, every byte counted.

use arrow_buffer::ScalarBuffer;
use trawl::device::{CudaSettings, Device, DeviceChoice};
use trawl_emulator::statistics;

use crate::harness::{cuda, cuda_with};

#[test]
fn columns_of_any_length_come_back_as_they_went() {
    let Some(cuda) = cuda() else { return };
    // Pinned buffers hold 4 MiB: below, at and above one and two of them.
    for length in [0, 1, 7, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (2 << 20) + 3] {
        let before = cuda.counts();
        let column: ScalarBuffer<u32> = (0..length as u32).map(|i| i.wrapping_mul(2_654_435_761)).collect();
        let there = cuda.upload(&column).unwrap();
        assert_eq!(there.len(), length);
        assert_eq!(cuda.download(&there).unwrap(), column, "{length}");
        let after = cuda.counts();
        let bytes = 4 * length as u64;
        assert_eq!((after.uploaded - before.uploaded, after.downloaded - before.downloaded), (bytes, bytes));
    }
}

#[test]
fn the_crate_counts_what_the_driver_counts() {
    let Some(cuda) = cuda() else { return };
    if std::env::var_os("TRAWL_REAL_GPU").is_some() {
        println!("skipped: only the emulated driver counts bytes");
        return;
    }
    // Other tests of this process copy too, so only a child's numbers would be equal; here the driver saw at least these.
    let there = cuda.upload(&[1.5f64; 1000]).unwrap();
    let zeros = cuda.zeros::<u64>(10).unwrap();
    assert_eq!(cuda.download(&there).unwrap()[999], 1.5);
    assert_eq!(cuda.download(&zeros).unwrap()[..], [0; 10]);
    let (mine, theirs) = (cuda.counts(), statistics());
    assert_eq!((mine.uploaded, mine.downloaded), (8000, 8080));
    assert!(theirs.upload_bytes >= mine.uploaded && theirs.download_bytes >= mine.downloaded, "{theirs:?}");
}

#[test]
fn a_shared_column_is_not_written_and_a_longer_view_is_refused() {
    let Some(cuda) = cuda() else { return };
    let column = cuda.upload(&[1u32, 2, 3]).unwrap();
    assert_eq!(cuda.download(&column.first(2).unwrap()).unwrap()[..], [1, 2]);
    assert!(column.first(4).unwrap_err().to_string().contains("4 elements of a column of 3"));
}

#[test]
fn a_device_that_is_not_there_is_a_usage_error() {
    if cuda_with(CudaSettings::default()).is_none() || std::env::var_os("TRAWL_REAL_GPU").is_some() {
        return;
    }
    let error = Device::choose(DeviceChoice::Cuda(7)).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("there is no CUDA device 7 (this machine has 1)"), "{error}");
}
