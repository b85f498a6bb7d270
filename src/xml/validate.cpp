// libxml2 behind a function. A schema is parsed once by each thread that needs it and kept: libxml2 promises nothing
// of one schema in two threads, and there are few workers.
#include "xml/validate.hpp"

#include <libxml/parser.h>
#include <libxml/relaxng.h>

#include <cstdarg>
#include <cstdio>
#include <map>
#include <memory>

namespace vireo::xml {
namespace {

template <auto free_it>
struct Freer {
  void operator()(auto* thing) const { free_it(thing); }
};
using Document = std::unique_ptr<xmlDoc, Freer<&xmlFreeDoc>>;
using Schema = std::unique_ptr<xmlRelaxNG, Freer<&xmlRelaxNGFree>>;
using SchemaParser = std::unique_ptr<xmlRelaxNGParserCtxt, Freer<&xmlRelaxNGFreeParserCtxt>>;
using Validator = std::unique_ptr<xmlRelaxNGValidCtxt, Freer<&xmlRelaxNGFreeValidCtxt>>;

// libxml2 says what it finds piece by piece, as printf would.
__attribute__((format(printf, 2, 3))) void append_complaint(void* to, const char* format, ...) {
  char piece[1024];
  va_list arguments;
  va_start(arguments, format);
  const int length = std::vsnprintf(piece, sizeof piece, format, arguments);
  va_end(arguments);
  if (length > 0) *static_cast<std::string*>(to) += piece;
}

__attribute__((format(printf, 2, 3))) void drop_warning(void*, const char*, ...) {}

Result<xmlRelaxNG*> schema_at(const std::string& path) {
  thread_local std::map<std::string, Schema> parsed;
  if (const auto found = parsed.find(path); found != parsed.end()) return found->second.get();
  xmlInitParser();
  std::string complaints;
  const SchemaParser parser(xmlRelaxNGNewParserCtxt(path.c_str()));
  if (parser) xmlRelaxNGSetParserErrors(parser.get(), &append_complaint, &drop_warning, &complaints);
  // What cannot be opened is told to this function only, which each thread has of its own.
  xmlSetGenericErrorFunc(&complaints, &append_complaint);
  Schema schema(parser ? xmlRelaxNGParse(parser.get()) : nullptr);
  xmlSetGenericErrorFunc(nullptr, nullptr);
  if (!schema)
    return fail_from(VIR_FROM_XML, VIR_ERR_INTERNAL_ERROR,
                     fmt::format("Unable to parse RNG {}; the package libvirt0 brings it. {}", path, complaints));
  return parsed.emplace(path, std::move(schema)).first->second.get();
}

}  // namespace

Result<void> validate(std::string_view text, const std::string& schema_path) {
  auto schema = schema_at(schema_path);
  if (!schema) return pass_on(schema);
  const Document document(xmlReadMemory(text.data(), static_cast<int>(text.size()), "(domain_definition)", nullptr,
                                        XML_PARSE_NONET | XML_PARSE_NOWARNING | XML_PARSE_NOERROR));
  const Validator validator(xmlRelaxNGNewValidCtxt(*schema));
  if (!document || !validator)
    return fail_from(VIR_FROM_XML, VIR_ERR_INTERNAL_ERROR, "the document could not be read for its validation");
  std::string complaints;
  xmlRelaxNGSetValidErrors(validator.get(), &append_complaint, &drop_warning, &complaints);
  if (xmlRelaxNGValidateDoc(validator.get(), document.get()) == 0) return {};
  return fail_from(VIR_FROM_XML, VIR_ERR_XML_INVALID_SCHEMA,
                   fmt::format("Unable to validate doc against {}\n{}", schema_path, complaints));
}

}  // namespace vireo::xml
