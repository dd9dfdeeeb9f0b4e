// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/event_loop.hpp"
#include "proxy/pipe.hpp"
#include "proxy/stream.hpp"
#include "wire/compression.hpp"
#include "wire/packet.hpp"

namespace reseal::proxy {

/// Who is told when a side can move again.
class SideOwner {
 public:
  virtual void advance() = 0;

 protected:
  ~SideOwner() = default;
};

/// One of the two connections of a session. While a login goes on, messages are received and sent whole; after it,
/// bytes go through `in`. Between a side's owner and the network they may be compressed.
class Side final : public Watched {
 public:
  explicit Side(SideOwner& owner) : owner_(&owner) {}

  /// Who is told from now on.
  void tell(SideOwner& owner) noexcept { owner_ = &owner; }
  void open(mysql::FileDescriptor socket, EventLoop& loop);
  void ready(Change change) override;
  /// Says goodbye without waiting, and closes the socket if it is open.
  void close();
  /// Nobody is told any more; only `close` may follow.
  void be_forgotten();

  enum class Got { nothing, message, ended, bad };

  /// From here on messages are received, the first of which carries number `sequence`.
  void begin_messages(std::size_t limit, std::uint8_t sequence);
  void end_messages();
  /// Reads exactly one message, of `in` first, and not one byte behind it: TLS may begin there. After `message`,
  /// `message()` holds it until the next call.
  Got receive(BufferPool& pool);
  std::string& message() noexcept { return message_; }
  /// Queues a message in answer to the last one.
  void send(std::string_view payload);

  /// From here on, bytes are compressed in both directions; once, when the login is over.
  void compress(wire::Compression compression);
  bool compressed() const noexcept { return compressed_ != nullptr; }
  /// What is written next is a command, or begins with one.
  void begin_command() noexcept;
  /// What is written next answers what was read last: the command, the file, or the server's wish for one.
  void begin_answer() noexcept;

  /// Queues bytes of packets, behind what is queued.
  void queue(std::string_view bytes);
  bool queue_empty() const noexcept { return out_.empty(); }
  /// Writes what is queued as far as the socket takes it; wipes what was written. False when nothing moved.
  bool flush();

  /// Reads into `in` if there is room and the socket has something. False when nothing moved.
  bool read(BufferPool& pool);
  /// Writes what `from` has judged, behind what is queued. False when nothing moved.
  bool write(Pipe& from);

  Stream& stream() noexcept { return *stream_; }
  const Stream& stream() const noexcept { return *stream_; }
  bool opened() const noexcept { return stream_.has_value() && stream_->open(); }
  Pipe in;                  ///< what was read and not yet written to the other side
  bool read_over = false;   ///< nothing more comes: the peer closed, or the connection broke
  bool write_over = false;  ///< the peer takes nothing more

  /// While a connect is under way: the first change tells that it has ended.
  void expect_connect() noexcept { writable_ = false; }
  bool writable() const noexcept { return writable_; }

 private:
  /// Compressed packets carry numbers of their own, which run on from those of the other direction.
  struct Compressed {
    wire::Compression how;
    wire::CompressedReader reader;
    std::uint8_t next = 0;  ///< number of the packet to be written
    Pipe raw;               ///< read and not unpacked yet
  };

  bool read_bytes(Pipe& into, BufferPool& pool);
  bool read_compressed(BufferPool& pool);

  SideOwner* owner_;
  EventLoop* loop_ = nullptr;
  std::optional<Stream> stream_;
  bool readable_ = false;
  bool writable_ = false;
  bool ending_ = false;  ///< the peer has closed its side; there may be bytes to read before that
  std::unique_ptr<Compressed> compressed_;
  std::unique_ptr<wire::PacketAssembler> assembler_;
  std::string message_;
  std::string out_;
};

}  // namespace reseal::proxy
