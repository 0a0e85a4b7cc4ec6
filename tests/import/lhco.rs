//! LHC Olympics HDF5.
