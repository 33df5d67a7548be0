//! A message on a pipe: a JSON head, and the bytes of tensors after it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read, Write};

/// So that anything else on the pipe is noticed.
const MAGIC: [u8; 4] = *b"MILW";
/// A head has names and sizes only.
const LARGEST_HEAD: u32 = 64 << 20;

/// Writes a message and its bytes.
pub(super) fn write(to: &mut impl Write, head: &impl Serialize, body: &[u8]) -> io::Result<()> {
    let head = serde_json::to_vec(head)?;
    let length = u32::try_from(head.len()).ok().filter(|&n| n <= LARGEST_HEAD);
    let length = length.ok_or_else(|| io::Error::other("the message is too large"))?;
    to.write_all(&MAGIC)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&(body.len() as u64).to_le_bytes())?;
    to.write_all(&head)?;
    to.write_all(body)?;
    to.flush()
}

/// Reads a message and its bytes. Nothing at the end of the pipe.
pub(super) fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<(T, Vec<u8>)>> {
    let mut magic = [0; 4];
    match from.read(&mut magic[..1])? {
        0 => return Ok(None),
        _ => from.read_exact(&mut magic[1..])?,
    }
    if magic != MAGIC {
        return Err(io::Error::other("something else than a message is on the pipe"));
    }
    let (mut head, mut body) = ([0; 4], [0; 8]);
    from.read_exact(&mut head)?;
    from.read_exact(&mut body)?;
    let head = u32::from_le_bytes(head);
    if head > LARGEST_HEAD {
        return Err(io::Error::other("the message is too large"));
    }
    let head = exactly(from, u64::from(head))?;
    let body = exactly(from, u64::from_le_bytes(body))?;
    Ok(Some((serde_json::from_slice(&head)?, body)))
}

/// Memory is taken as bytes arrive, not as many as are announced.
fn exactly(from: &mut impl Read, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(count).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == count { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut pipe = Vec::new();
        write(&mut pipe, &"one", b"bytes").unwrap();
        write(&mut pipe, &"two", b"").unwrap();
        let mut from = &pipe[..];
        assert_eq!(read::<String>(&mut from).unwrap(), Some(("one".into(), b"bytes".to_vec())));
        assert_eq!(read::<String>(&mut from).unwrap(), Some(("two".into(), vec![])));
        assert_eq!(read::<String>(&mut from).unwrap(), None);
    }

    #[test]
    fn a_torn_or_foreign_message_is_an_error() {
        let mut pipe = Vec::new();
        write(&mut pipe, &"one", b"bytes").unwrap();
        for n in 1..pipe.len() {
            assert!(read::<String>(&mut &pipe[..n]).is_err(), "{n}");
        }
        assert!(read::<String>(&mut &b"printed by a framework"[..]).is_err());
        let huge = [&MAGIC[..], &2u32.to_le_bytes(), &u64::MAX.to_le_bytes(), b"\"\""].concat();
        assert!(read::<String>(&mut &huge[..]).is_err());
    }
}
