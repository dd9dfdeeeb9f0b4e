// SPDX-License-Identifier: Apache-2.0
#include "binlog/transaction_assembler.hpp"

#include <algorithm>

#include "binlog/control_text.hpp"

namespace reseal::binlog {
namespace {

using base::BadInput;
using base::Result;

/// Table maps kept from earlier statements so that their pointers stay the same.
constexpr std::size_t max_known_tables = 4096;

BadInput unexpected(const EventHeader& header, std::string_view why) {
  return BadInput{event_type_name(header.type) + " event " + std::string(why)};
}

}  // namespace

TransactionAssembler::TransactionAssembler(Options options)
    : options_(std::move(options)), checksum_(options_.checksum), position_(options_.start) {}

Result<Done> TransactionAssembler::feed(const EventBytes& event, TransactionSink& sink) {
  if (!failed_.empty()) return BadInput{failed_};
  auto step = feed_checked(event, sink);
  if (!step.ok()) failed_ = "binlog " + position_.text() + ": " + step.error();
  return step.ok() ? step : BadInput{failed_};
}

TransactionAssembler::Step TransactionAssembler::feed_checked(const EventBytes& event, TransactionSink& sink) {
  const auto header = parse_event_header(*event);
  if (!header.ok()) return header.bad();
  if (header.value().type == EventType::format_description) return on_format(event, header.value());
  const auto body = event_body(*event, header.value(), checksum_);
  if (!body.ok()) return body.bad();
  advance(header.value());
  const Incoming incoming{header.value(), body.value(), event, sink};
  if (header.value().type == EventType::rotate) return on_rotate(incoming);
  if (header.value().type == EventType::heartbeat || header.value().type == EventType::heartbeat_v2)
    return on_heartbeat(incoming);
  if (!format_) return unexpected(header.value(), "before any FORMAT_DESCRIPTION");
  return dispatch_stream(incoming);
}

/// Events that stand in the log itself, never inside a compressed transaction; the rest goes on to `dispatch`.
TransactionAssembler::Step TransactionAssembler::dispatch_stream(const Incoming& event) {
  switch (event.header.type) {
    case EventType::gtid:
    case EventType::anonymous_gtid:
    case EventType::gtid_tagged:
      return on_gtid(event);
    case EventType::transaction_payload:
      return on_payload(event);
    case EventType::previous_gtids: {
      const auto gtids = parse_previous_gtids(event.body);
      if (!gtids.ok()) return gtids.bad();
      return require(State::between, event.header);
    }
    case EventType::stop:
      return require(State::between, event.header);
    default:
      return dispatch(event);
  }
}

TransactionAssembler::Step TransactionAssembler::dispatch(const Incoming& event) {
  switch (event.header.type) {
    case EventType::query:
      return on_query(event);
    case EventType::table_map:
      return on_table_map(event);
    case EventType::write_rows_v1:
    case EventType::update_rows_v1:
    case EventType::delete_rows_v1:
    case EventType::write_rows:
    case EventType::update_rows:
    case EventType::delete_rows:
    case EventType::partial_update_rows:
      return on_rows(event);
    case EventType::xid: {
      const auto xid = parse_xid(event.body);
      if (!xid.ok()) return xid.bad();
      if (state_ != State::open) return unexpected(event.header, "outside a transaction");
      return finish(event, true);
    }
    case EventType::xa_prepare:
      return on_xa_prepare(event);
    case EventType::intvar:
    case EventType::rand:
    case EventType::user_var:
      return on_context(event);
    case EventType::rows_query:
    case EventType::ignorable:
    case EventType::view_change:
    case EventType::transaction_context:
      return Done{};
    case EventType::incident:
      return unexpected(event.header, "says that the source lost events");
    default:
      // As the server does: a sender marks what older readers may leave out.
      if ((event.header.flags & flag_ignorable) != 0) return Done{};
      return unexpected(event.header, "is not supported");
  }
}

void TransactionAssembler::move_forward_to(std::uint32_t low_bits, std::uint64_t at_least) {
  constexpr std::uint64_t wrap = std::uint64_t{1} << 32;
  position_.offset = (at_least & ~(wrap - 1)) | low_bits;
  if (position_.offset < at_least) position_.offset += wrap;
}

/// Headers hold only the low 32 bits of the offset after the event. Events may be missing in between (a dump by GTID
/// leaves out what the reader has), so the offset is moved forward to the next place with these low bits.
void TransactionAssembler::advance(const EventHeader& header) {
  event_start_ = position_;
  if (header.artificial() || header.type == EventType::heartbeat || header.type == EventType::heartbeat_v2) return;
  move_forward_to(header.log_position, position_.offset + header.event_size);
  event_start_.offset = position_.offset - header.event_size;
}

TransactionAssembler::Step TransactionAssembler::require(State state, const EventHeader& header) const {
  if (state_ == state) return Done{};
  return unexpected(header, state == State::between ? "inside a transaction" : "outside a transaction");
}

TransactionAssembler::Step TransactionAssembler::on_format(const EventBytes& event, const EventHeader& header) {
  auto format = parse_format_description(*event);
  if (!format.ok()) return format.bad();
  if (auto step = require(State::between, header); !step.ok()) return step;
  advance(header);
  checksum_ = format.value().checksum;
  format_ = std::move(format).value();
  tables_.clear();
  return Done{};
}

TransactionAssembler::Step TransactionAssembler::on_rotate(const Incoming& event) {
  auto rotate = parse_rotate(event.body);
  if (!rotate.ok()) return rotate.bad();
  if (auto step = require(State::between, event.header); !step.ok()) return step;
  const sql::BinlogPosition next{rotate.value().file, rotate.value().offset};
  // The server announces a file twice: at the end of the one before and, made up, at its own head.
  const bool news = position_.file != next.file || position_.offset != next.offset;
  position_ = next;
  if (news) event.sink.rotate(position_);
  return Done{};
}

TransactionAssembler::Step TransactionAssembler::on_heartbeat(const Incoming& event) {
  const auto heartbeat =
      event.header.type == EventType::heartbeat ? parse_heartbeat(event.body) : parse_heartbeat_v2(event.body);
  if (!heartbeat.ok()) return heartbeat.bad();
  if (heartbeat.value().file != position_.file) return unexpected(event.header, "is of another file");
  if (state_ != State::between) return Done{};
  if (heartbeat.value().offset)
    position_.offset = std::max(position_.offset, *heartbeat.value().offset);
  else
    move_forward_to(event.header.log_position, position_.offset);
  event.sink.heartbeat(position_);
  return Done{};
}

TransactionAssembler::Step TransactionAssembler::on_gtid(const Incoming& event) {
  if (auto step = require(State::between, event.header); !step.ok()) return step;
  auto start = event.header.type == EventType::gtid_tagged ? parse_gtid_tagged(event.body)
                                                           : parse_gtid(event.body, event.header.type);
  if (!start.ok()) return start.bad();
  auto& found = start.value();
  begin_ = Begin{std::move(found.gtid), found.original_commit_us, found.immediate_commit_us, found.transaction_length,
                 event_start_};
  state_ = State::started;
  event.sink.begin(begin_);
  return Done{};
}

void TransactionAssembler::begin_without_gtid(TransactionSink& sink) {
  if (state_ != State::between) return;
  begin_ = Begin{};
  begin_.start = event_start_;
  state_ = State::started;
  sink.begin(begin_);
}

TransactionAssembler::Step TransactionAssembler::open_group(const Incoming& event) {
  if (state_ != State::between && state_ != State::started)
    return unexpected(event.header, "begins inside a transaction");
  begin_without_gtid(event.sink);
  state_ = State::open;
  return Done{};
}

TransactionAssembler::Step TransactionAssembler::on_query(const Incoming& event) {
  const auto query = parse_query(event.body);
  if (!query.ok()) return query.bad();
  thread_id_ = query.value().thread_id;
  const auto control = control_of(query.value().text);
  switch (control.kind) {
    case Control::Kind::none:
      return on_statement(event, query.value());
    case Control::Kind::begin:
    case Control::Kind::xa_start:
      return open_group(event);
    case Control::Kind::commit:
    case Control::Kind::rollback:
      if (state_ != State::open) return unexpected(event.header, "ends a transaction that is not open");
      return finish(event, control.kind == Control::Kind::commit);
    case Control::Kind::savepoint:
    case Control::Kind::rollback_to:
      if (state_ != State::open) return unexpected(event.header, "sets a savepoint outside a transaction");
      if (control.kind == Control::Kind::savepoint)
        event.sink.savepoint(control.name);
      else
        event.sink.rollback_to(control.name);
      return Done{};
    case Control::Kind::xa_end:
      if (state_ != State::open) return unexpected(event.header, "ends an XA transaction that is not open");
      state_ = State::ended_xa;
      return Done{};
    case Control::Kind::xa_outcome:
      return BadInput{"two-phase XA transactions are not supported yet"};
  }
  return Done{};
}

TransactionAssembler::Step TransactionAssembler::on_statement(const Incoming& event, const Query& query) {
  if (state_ == State::ended_xa) return unexpected(event.header, "after XA END");
  // The CREATE TABLE of an atomic CREATE … SELECT opens the transaction that holds its rows.
  if (state_ != State::open && starts_transaction(query.text)) {
    if (auto step = open_group(event); !step.ok()) return step;
  }
  const bool standalone = state_ != State::open;
  begin_without_gtid(event.sink);
  event.sink.statement(Statement{query, standalone, "", position_, event.owner});
  return standalone ? finish(event, true) : Step(Done{});
}

TransactionAssembler::Step TransactionAssembler::on_context(const Incoming& event) {
  begin_without_gtid(event.sink);
  event.sink.statement(
      Statement{Query{}, state_ != State::open, event_type_name(event.header.type), position_, event.owner});
  return Done{};
}

TransactionAssembler::Step TransactionAssembler::on_table_map(const Incoming& event) {
  if (auto step = require(State::open, event.header); !step.ok()) return step;
  auto table = parse_table_map(event.body, *format_);
  if (!table.ok()) return table.bad();
  const auto id = table.value()->table_id;
  auto& known = tables_[id];
  if (!known.map || known.bytes != event.body) known = KnownTable{std::string(event.body), std::move(table).value()};
  statement_tables_.insert(id);
  return Done{};
}

TransactionAssembler::Step TransactionAssembler::on_rows(const Incoming& event) {
  if (auto step = require(State::open, event.header); !step.ok()) return step;
  const auto header = parse_rows_header(event.body, event.header.type, *format_);
  if (!header.ok()) return header.bad();
  const bool last = header.value().last_of_statement();
  if (!header.value().dummy()) {
    if (!statement_tables_.contains(header.value().table_id)) return unexpected(event.header, "without its TABLE_MAP");
    const auto& table = tables_[header.value().table_id].map;
    auto reader = RowReader::make(header.value(), table, event.owner);
    if (!reader.ok()) return reader.bad();
    event.sink.rows(Rows{table, std::move(reader).value(), last, header.value().rows.size()});
  }
  if (last) end_statement();
  return Done{};
}

void TransactionAssembler::end_statement() {
  statement_tables_.clear();
  if (tables_.size() > max_known_tables) tables_.clear();
}

TransactionAssembler::Step TransactionAssembler::on_xa_prepare(const Incoming& event) {
  const auto prepare = parse_xa_prepare(event.body);
  if (!prepare.ok()) return prepare.bad();
  if (!prepare.value().one_phase) return BadInput{"two-phase XA transactions are not supported yet"};
  if (auto step = require(State::ended_xa, event.header); !step.ok()) return step;
  return finish(event, true);
}

TransactionAssembler::Step TransactionAssembler::on_payload(const Incoming& event) {
  if (auto step = require(State::started, event.header); !step.ok()) return step;
  auto reader = PayloadReader::make(event.body, options_.limits);
  if (!reader.ok()) return reader.bad();
  while (true) {
    const auto next = reader.value().next();
    if (!next.ok()) return next.bad();
    if (!next.value()) break;
    const auto& owner = *next.value();
    const auto header = parse_event_header(*owner);
    if (!header.ok()) return header.bad();
    const auto body = event_body(*owner, header.value(), ChecksumAlgorithm::none);
    if (!body.ok()) return body.bad();
    if (state_ == State::between) return unexpected(header.value(), "after the end of its compressed transaction");
    if (auto step = dispatch({header.value(), body.value(), owner, event.sink}); !step.ok()) return step;
  }
  return require(State::between, event.header);
}

End TransactionAssembler::end_of(const EventHeader& header) const {
  return {begin_.gtid, position_, begin_.original_commit_us, begin_.immediate_commit_us, header.timestamp, thread_id_};
}

TransactionAssembler::Step TransactionAssembler::finish(const Incoming& event, bool committed) {
  state_ = State::between;
  statement_tables_.clear();
  if (committed)
    event.sink.commit(end_of(event.header));
  else
    event.sink.rollback(end_of(event.header));
  return Done{};
}

}  // namespace reseal::binlog
