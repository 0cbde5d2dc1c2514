//! `{data_id, name, timestamp}`: a name seen at a unix time.

use super::symbol;
use crate::message::Message;
use crate::reason::{Apart, Step};
use crate::rows::Rows;
use crate::schema::ColumnId;

/// Longest `data_id`, in bytes.
const MAX_DATA_ID_BYTES: usize = 256;

/// `name` is the symbol; `data_id` is kept as it is written, and is the row's id if it is an integer from 0 up.
pub(crate) fn read(message: &Message<'_>, rows: &mut Rows) -> Step<()> {
    symbol(message, "name", rows)?;
    rows.time(ColumnId::EventTime, message.required("event_time", "timestamp")?.unix_time("event_time")?);
    let data_id = message.required("data_id", "data_id")?.text("data_id")?;
    if data_id.len() > MAX_DATA_ID_BYTES {
        return Err(Apart::rejected(format!(
            "data_id: {} bytes, more than {MAX_DATA_ID_BYTES}",
            data_id.len()
        )));
    }
    rows.text(ColumnId::DataId, &data_id);
    let is_digits = data_id.bytes().all(|byte| byte.is_ascii_digit());
    if let (true, Ok(id)) = (is_digits, data_id.parse()) {
        rows.integer(ColumnId::Id, id)?;
        rows.integer(ColumnId::LastId, id)?;
    }
    Ok(())
}
