#include "base/json_shape.h"

namespace muster {

Status check_fields(const std::string& where, const Json& object,
                    std::span<const JsonField> fields) {
  if (!object.is_object()) {
    return fail(Code::kUnsupported, (where.empty() ? "it" : where) + " must be an object");
  }
  for (const JsonField& field : fields) {
    const auto found = object.find(field.key);
    const bool fits = found == object.end() ? !field.is_needed : field.type.fits(*found);
    if (fits) continue;
    const std::string name = where.empty() ? field.key : where + "." + field.key;
    return fail(Code::kUnsupported, name + " must be " + field.type.name);
  }
  return {};
}

}  // namespace muster
