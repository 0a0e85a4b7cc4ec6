//! The test vector of pyBumpHunter, for the tests of the scan and of the toys.

// data/data.root of scikit-hep/pyBumpHunter in 60 bins on [0, 20]; results of its test/test_BumpHunter.py, and the same
// from scripts/oracles/bump_hunter.py (SciPy 1.17.1).
pub(crate) const REFERENCE: [u64; 60] = [
    15394, 13137, 11006, 9232, 7911, 6636, 5661, 4729, 4024, 3412, 2788, 2551, 2108, 1789, 1474, 1264, 1078, 894, 705,
    624, 552, 495, 394, 322, 275, 239, 178, 189, 151, 133, 100, 66, 69, 65, 47, 38, 43, 35, 32, 25, 19, 19, 23, 13, 10,
    8, 5, 7, 5, 5, 3, 4, 1, 1, 2, 1, 1, 3, 0, 1,
];
pub(crate) const DATA: [u64; 60] = [
    15133, 13122, 11053, 9347, 7862, 6678, 5629, 4645, 4125, 3404, 2916, 2509, 2028, 1818, 1510, 1268, 1121, 950, 771,
    667, 513, 488, 398, 324, 267, 231, 222, 183, 153, 132, 101, 82, 79, 60, 59, 44, 41, 35, 43, 22, 19, 19, 15, 6, 8,
    6, 9, 5, 5, 3, 2, 4, 2, 5, 3, 0, 1, 1, 1, 0,
];
