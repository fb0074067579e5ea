// SPDX-License-Identifier: Apache-2.0
// Runs freeze_subject, has it frozen, and thaws it.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/fd.h"

namespace hrun::test {

// A memory file that begins with `text`.
Fd shared_file(const std::string& text);

class Subject {
  public:
    // Runs it, with a mistake or none.
    explicit Subject(const Fd& shared, const std::string& mistake = {});
    // Goes on from an image.
    Subject(const Fd& image, const Fd& shared);
    ~Subject();
    Subject(const Subject&) = delete;
    Subject& operator=(const Subject&) = delete;

    // The line that it says; nothing when it has ended.
    std::string ask(char question);
    // Writes it to `image`; what is wrong, or nothing.
    std::string freeze(const Fd& image);
    // The first word of its command line, as others see it.
    std::string name() const;
    // What it says on its standard error until it ends; its exit code behind it.
    std::string last_words();

  private:
    void run(const Fd& first, const Fd& second, char* const* words, char* const* environment);

    pid_t pid_ = -1;
    Fd input_;
    Fd output_;
    Fd errors_;
    Fd freezer_;
};

} // namespace hrun::test
