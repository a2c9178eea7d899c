#include "model/checks.hpp"

namespace creto {

Result<CheckPass> CheckPass::verify(
    const SignatureScheme& scheme, const std::vector<CheckItem>& items
) {
    for (const CheckItem& item : items) {
        if (!scheme.verify(item.key, item.bytes, item.signature)) {
            return fail(ErrorCode::invalid, "a signature does not fit its content and key");
        }
    }
    return CheckPass{};
}

}  // namespace creto
