//! Loops compiled twice: for every processor of the target, and for those with AVX2, whose vectors are twice as wide.

/// Calls a function, in its version for AVX2 where the processor has that: `wide!(function(argument: Type, ...))`.
///
/// The function must be `#[inline(always)]`, and what it calls too or small. AVX2 brings no fused multiply-add, so both
/// versions give the same bits.
macro_rules! wide {
    ($function:ident($($argument:ident: $type:ty),+ $(,)?)) => {{
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2")]
            fn with_avx2($($argument: $type),+) {
                $function($($argument),+);
            }
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: this processor has AVX2.
                unsafe { with_avx2($($argument),+) };
                return;
            }
        }
        $function($($argument),+);
    }};
}

pub(crate) use wide;
