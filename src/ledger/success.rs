//! How WordPress took what was passed on.

use http::StatusCode;
use std::num::NonZeroU8;

/// A 2xx. In one byte, because it is remembered with every key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Success(NonZeroU8);

/// Just below the first of them.
const BELOW: u16 = 199;

impl Success {
    /// `None` if it is no 2xx.
    pub fn of(status: StatusCode) -> Option<Self> {
        Self::from_byte(u8::try_from(status.as_u16().checked_sub(BELOW)?).ok()?)
    }

    /// As it was kept; 0 is none.
    pub fn from_byte(byte: u8) -> Option<Self> {
        NonZeroU8::new(byte).filter(|byte| byte.get() <= 100).map(Self)
    }

    /// As it is kept.
    pub const fn byte(self) -> u8 {
        self.0.get()
    }

    /// What WordPress said.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(BELOW + u16::from(self.0.get())).unwrap_or(StatusCode::OK)
    }
}

impl std::fmt::Debug for Success {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status().as_u16())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_2xx_is_kept_as_it_is_and_nothing_else_is() {
        for code in 100..=999 {
            let status = StatusCode::from_u16(code).unwrap();
            let kept = Success::of(status).and_then(|success| Success::from_byte(success.byte()));
            assert_eq!(kept.map(Success::status), status.is_success().then_some(status), "{code}");
        }
        assert_eq!((Success::from_byte(0), Success::from_byte(101)), (None, None));
    }
}
