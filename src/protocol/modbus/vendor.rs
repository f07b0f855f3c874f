//! The frames of Renke and ZTS sensors that are not Modbus but share its wires and check sum:
//! `FD FD FD baud address crc`.

/// A frame of a sensor, asked or answered: it is the same shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vendor {
    /// Code of the line's speed, 0 in requests that do not set it.
    pub baud_id: u8,
    /// Address, 0 in requests that do not set it.
    pub address: u8,
}

impl Vendor {
    /// Whole frame with check sum, in bytes.
    pub const LENGTH: usize = 7;
    const HEAD: [u8; 3] = [0xFD; 3];

    /// Reads the frame without its check sum.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFD, 0xFD, 0xFD, baud_id, address] => {
                Some(Self { baud_id: *baud_id, address: *address })
            }
            _ => None,
        }
    }

    /// Whether the bytes begin such a frame.
    pub fn begins(bytes: &[u8]) -> bool {
        bytes.starts_with(&Self::HEAD)
    }

    /// The bytes without check sum.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Self::HEAD.to_vec();
        bytes.extend([self.baud_id, self.address]);
        bytes
    }

    /// Speed that the code stands for, bit/s; the sensors know three.
    pub fn baud(self) -> Option<u32> {
        match self.baud_id {
            1 => Some(2400),
            2 => Some(4800),
            3 => Some(9600),
            _ => None,
        }
    }
}
