//! The bodies of answers that the SDK asked for.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_types::body::SdkBody;

/// Takes the body of a successful answer away from the SDK, whose reader is not strict, and leaves an empty answer in
/// its place.
#[derive(Clone, Debug)]
pub(super) struct Tap {
    taken: Arc<Mutex<Option<SdkBody>>>,
    empty: &'static str,
}

impl Tap {
    /// A tap that leaves this document to the SDK.
    pub(super) fn leaving(empty: &'static str) -> Self {
        Self { taken: Arc::default(), empty }
    }

    /// The body, unread; once.
    pub(super) fn take(&self) -> Option<SdkBody> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[dyn_dispatch_hint]
impl Intercept for Tap {
    fn name(&self) -> &'static str {
        "Tap"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        if response.status().is_success() {
            let empty = SdkBody::from(self.empty);
            let body = std::mem::replace(response.body_mut(), empty);
            *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
        Ok(())
    }
}
