// Words, questions, and trying again.
#include "cli/tree/operations.hpp"

#include <charconv>
#include <random>
#include <thread>

#include "cli/tree/sentences.hpp"

namespace vireo::cli::tree {
namespace {

using Verb = Operation::Verb;

// Others get on with it meanwhile: so many attempts fail only where somebody changes the same nodes without end.
constexpr int attempts = 50;

std::unexpected<Error> wrong(std::string detail) { return fail(VIR_ERR_SYSTEM_ERROR, std::move(detail)); }

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Takes the words of a line off its beginning.
class Words {
 public:
  explicit Words(std::string_view line) : line_(line), left_(line) {}

  // Nothing: there is none left.
  Result<std::optional<std::string>> next() {
    while (!left_.empty() && is_blank(left_.front())) left_.remove_prefix(1);
    if (left_.empty()) return std::nullopt;
    std::string word;
    while (!left_.empty() && !is_blank(left_.front())) {
      const char c = take();
      if (c == '\'' || c == '"') {
        if (auto quoted = take_quoted(c, word); !quoted) return pass_on(quoted);
      } else {
        word += c;
      }
    }
    return word;
  }

 private:
  char take() {
    const char c = left_.front();
    left_.remove_prefix(1);
    return c;
  }

  Result<void> take_quoted(char quote, std::string& word) {
    while (!left_.empty()) {
      const char c = take();
      if (c == quote) return {};
      if (c != '\\' || quote == '\'')
        word += c;
      else if (auto escaped = take_escaped(word); !escaped)
        return escaped;
    }
    return wrong(fmt::format("'{}': a quote ({}) has no end", line_, quote));
  }

  Result<void> take_escaped(std::string& word) {
    const char c = left_.empty() ? '\0' : take();
    if (c == 'n') return word += '\n', Result<void>();
    if (c == 't') return word += '\t', Result<void>();
    if (c == '\\' || c == '"') return word += c, Result<void>();
    unsigned char byte = 0;
    const auto digits = left_.substr(0, 2);
    if (c != 'x' || digits.size() != 2 || std::from_chars(digits.begin(), digits.end(), byte, 16).ptr != digits.end())
      return wrong(fmt::format(R"('{}': after a \ in "quotes" comes n, t, \, " or x and two digits of 16)", line_));
    left_.remove_prefix(2);
    word += static_cast<char>(byte);
    return {};
  }

  std::string_view line_, left_;
};

std::string_view name_of(Verb verb) { return verb == Verb::get ? "get" : verb == Verb::set ? "set" : "rm"; }

Question question_of(const Operation& operation) {
  auto path = terminated(operation.path);
  switch (operation.verb) {
    case Verb::get:
      return {.kind = Kind::read, .payload = std::move(path)};
    case Verb::set:
      return {.kind = Kind::write, .payload = path + operation.value};
    case Verb::remove:
      break;
  }
  return {.kind = Kind::remove, .payload = std::move(path)};
}

// The server would end the connection, not refuse it.
Result<void> fits(const Operation& operation) {
  const auto bytes = question_of(operation).payload.size();
  if (bytes <= XENSTORE_PAYLOAD_MAX) return {};
  return wrong(fmt::format("'{}': path and value have {} bytes together; the protocol takes {}", operation.path,
                           bytes - 1, XENSTORE_PAYLOAD_MAX - 1));
}

// What the gets gave. The first refusal is the error, but for one that a new attempt may not meet.
Result<std::vector<std::string>> ask_all(Connection& connection, const std::vector<Operation>& operations,
                                         std::uint32_t transaction) {
  std::vector<Question> questions;
  questions.reserve(operations.size());
  for (const auto& operation : operations) questions.push_back(question_of(operation));
  auto answers = connection.ask_all(questions, transaction);
  if (!answers) return pass_on(answers);
  std::vector<std::string> got;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const auto& [verb, path, value] = operations[i];
    if ((*answers)[i].refused) return refused((*answers)[i].text, name_of(verb), path);
    if (verb == Verb::get) got.push_back(std::move((*answers)[i].text));
  }
  return got;
}

Result<std::uint32_t> begin(Connection& connection) {
  auto begun = connection.ask(Kind::begin, terminated(""));
  if (!begun) return pass_on(begun);
  if (begun->refused)
    return fail(VIR_ERR_SYSTEM_ERROR, fmt::format("no transaction can be begun now ({})", begun->text));
  std::uint32_t id = 0;
  std::from_chars(begun->text.data(), begun->text.data() + begun->text.size(), id);
  return id;
}

}  // namespace

Result<std::optional<Operation>> parse_operation(std::string_view line) {
  Words words(line);
  std::vector<std::string> all;
  for (;;) {
    auto word = words.next();
    if (!word) return pass_on(word);
    if (!*word) break;
    if (all.empty() && (*word)->starts_with('#')) return std::nullopt;
    all.push_back(std::move(**word));
  }
  if (all.empty()) return std::nullopt;
  if (all[0] == "get" && all.size() == 2) return Operation{.verb = Verb::get, .path = all[1]};
  if (all[0] == "set" && all.size() == 3) return Operation{.verb = Verb::set, .path = all[1], .value = all[2]};
  if (all[0] == "rm" && all.size() == 2) return Operation{.verb = Verb::remove, .path = all[1]};
  return wrong(fmt::format(
      "'{}' is none of 'get PATH', 'set PATH VALUE' and 'rm PATH'; a value that is empty or holds blanks stands in "
      "quotes",
      line));
}

Result<std::vector<std::string>> perform(Connection& connection, const std::vector<Operation>& operations) {
  for (const auto& operation : operations)
    if (auto ok = fits(operation); !ok) return pass_on(ok);
  if (operations.size() == 1) return ask_all(connection, operations, 0);
  std::vector<std::string> got;
  auto done = in_transaction(connection, [&](std::uint32_t transaction) -> Result<bool> {
    auto values = ask_all(connection, operations, transaction);
    if (!values) return pass_on(values);
    got = std::move(*values);
    return true;
  });
  if (!done) return pass_on(done);
  return got;
}

Result<void> in_transaction(Connection& connection, const Attempt& attempt) {
  std::minstd_rand dice(std::random_device{}());
  for (int i = 1; i <= attempts; ++i) {
    auto transaction = begin(connection);
    if (!transaction) return pass_on(transaction);
    auto good = attempt(*transaction);
    const bool commit = good && *good;
    auto ended = connection.ask(Kind::end, terminated(commit ? "T" : "F"), *transaction);
    // What went wrong first is what is told.
    if (!good) return pass_on(good);
    if (!ended) return pass_on(ended);
    if (commit && !ended->refused) return {};
    if (commit && !ended->refused_as("EAGAIN"))
      return fail(VIR_ERR_SYSTEM_ERROR,
                  fmt::format("the transaction cannot be committed ({}); nothing has been changed", ended->text));
    // Two that lose against each other do not come back in step.
    std::this_thread::sleep_for(std::chrono::microseconds(dice() % (1000U * static_cast<unsigned>(i))));
  }
  return fail(
      VIR_ERR_SYSTEM_ERROR,
      fmt::format("others changed the same nodes during each of {} attempts; nothing has been changed; try again",
                  attempts));
}

}  // namespace vireo::cli::tree
