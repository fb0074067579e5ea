// SPDX-License-Identifier: Apache-2.0
// Reads a tar stream entry by entry: v7, ustar, pax, GNU long names, all four GNU sparse formats.
#pragma once

#include <array>

#include "erofs/byte_source.h"
#include "erofs/limits.h"
#include "erofs/tar_entry.h"
#include "erofs/tar_header.h"

namespace hrun::erofs {

class TarReader {
  public:
    TarReader(ByteSource& source, const Limits& limits) : source_(source), limits_(limits) {}

    // Skips what is left of the last entry and reads the headers of the next one. False at the end of
    // the archive: its marker, or the end of the stream where a header could begin.
    Result<bool> next(TarEntry& entry);

    // The next stored bytes of the entry, straight from the stream; empty after the last. For a sparse
    // file these are the bytes of its extents, one after the other.
    Result<Slice> read();

    // The entry whose headers or data are being read, for error messages.
    const std::string& current_path() const { return current_path_; }

  private:
    using Block = std::array<uint8_t, kTarBlockBytes>;
    enum class Step { kEntry, kMore, kEnd };

    // Everything that headers before the entry's own say about it.
    struct Extras {
        PaxRecords records;
        std::string gnu_path, gnu_link_target;
    };

    Result<bool> read_block(Block& block);
    Result<void> read_exactly(uint8_t* to, size_t size);
    Result<std::string> read_payload(int64_t size);
    Result<void> skip_entry();
    Result<Step> read_header(Block& block, TarHeader& header);
    Result<Step> read_extra(const TarHeader& header, Extras& extras);
    Result<void> read_global(std::string_view payload);
    Result<void> fill_entry(const Block& block, const TarHeader& header, const Extras& extras,
                            TarEntry& entry);
    Result<void> read_old_gnu_map(const Block& block, TarEntry& entry);
    Result<void> read_pax_sparse(const PaxRecords& records, TarEntry& entry);
    Result<SparseMap> read_map_1_0();
    Result<uint64_t> read_map_number(std::string& buffered, size_t& at);

    ByteSource& source_;
    const Limits& limits_;
    PaxRecords global_;
    std::string current_path_;
    uint64_t data_left_ = 0;    // stored bytes of the entry not yet read
    uint64_t padding_left_ = 0; // up to the next block
};

} // namespace hrun::erofs
