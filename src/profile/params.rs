//! Reads `[[params]]`: numbers that each device of the model may set.

use std::collections::BTreeSet;

use super::binding::Param;
use super::fault::Faults;
use super::schema::HeadFile;

/// Most parameters of a model.
const MAX_PARAMS: usize = 16;

/// Checks the parameters of a file.
pub(super) fn params(head: &HeadFile, faults: &mut Faults<'_>) -> Vec<Param> {
    let mut names = BTreeSet::new();
    let mut params = Vec::new();
    for spanned in head.params.iter().take(MAX_PARAMS + 1) {
        let (span, param) = (spanned.span(), spanned.get_ref());
        if params.len() == MAX_PARAMS {
            faults.at(span, format!("more than {MAX_PARAMS} params"));
            break;
        }
        if !names.insert(&param.name) {
            faults.at(span, format!("param `{}` is given twice", param.name));
        } else if !(param.min <= param.default && param.default <= param.max) {
            faults.at(
                span,
                format!(
                    "default {} of param `{}` lies outside {} to {}",
                    param.default, param.name, param.min, param.max
                ),
            );
        }
        params.push(Param {
            name: param.name.clone(),
            default: param.default,
            range: (param.min, param.max),
            about: param.about.clone(),
        });
    }
    params
}
