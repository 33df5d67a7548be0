//! Output buffers are filled with a pattern before a run. One that still holds it afterwards was not written to, whatever
//! the call reported.
//!
//! The pattern is a NaN in fp16 and in fp32 and no small integer, so that a real result of more than a few bytes does not
//! have it by chance; a result that is all zero is a result, which is why zero is not the pattern.

/// Repeated over the buffer: not finite in fp16 (0xFE5A, 0xFFA5) nor in fp32 (0xFFA5FE5A).
const PATTERN: [u8; 4] = [0x5A, 0xFE, 0xA5, 0xFF];

/// Fills a buffer with the pattern.
pub fn fill(buffer: &mut [u8]) {
    for (byte, pattern) in buffer.iter_mut().zip(PATTERN.iter().cycle()) {
        *byte = *pattern;
    }
}

/// Does all of the buffer still hold the pattern? An empty one does not.
pub fn untouched(buffer: &[u8]) -> bool {
    !buffer.is_empty() && buffer.iter().zip(PATTERN.iter().cycle()).all(|(byte, pattern)| byte == pattern)
}

/// How many bytes at the end still hold the pattern: a partly written buffer.
pub fn untouched_tail(buffer: &[u8]) -> usize {
    let whole = buffer.iter().enumerate().rev();
    whole.take_while(|(i, byte)| **byte == PATTERN[i % PATTERN.len()]).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filled_buffer_is_untouched_until_one_byte_changes() {
        for n in [1, 2, 3, 7, 64] {
            let mut buffer = vec![0; n];
            assert!(!untouched(&buffer));
            fill(&mut buffer);
            assert!(untouched(&buffer));
            buffer[n / 2] ^= 1;
            assert!(!untouched(&buffer));
            assert_eq!(untouched_tail(&buffer), n - 1 - n / 2);
        }
        assert!(!untouched(&[]));
    }

    #[test]
    fn the_pattern_is_not_finite() {
        let mut buffer = [0; 8];
        fill(&mut buffer);
        for pair in buffer.chunks(2) {
            let bits = u16::from_le_bytes([pair[0], pair[1]]);
            assert_eq!(bits & 0x7C00, 0x7C00, "{bits:04x} is finite in fp16");
        }
        let fp32 = f32::from_le_bytes([buffer[0], buffer[1], buffer[2], buffer[3]]);
        assert!(!fp32.is_finite());
    }
}
