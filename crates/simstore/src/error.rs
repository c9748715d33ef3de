//! Errors as S3 words them.

/// An error answer.
///
/// Source: Amazon S3 API, "Error responses".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct S3Error {
    /// The code that clients look at.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// Words for people.
    pub message: &'static str,
}

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $status:literal $code:literal $message:literal;)*) => {
        impl S3Error {
            $($(#[$doc])*
            pub const $name: Self = Self { code: $code, status: $status, message: $message };)*
        }
    };
}

errors! {
    /// Too many requests.
    SLOW_DOWN = 503 "SlowDown" "Please reduce your request rate.";
    /// The server failed.
    INTERNAL_ERROR = 500 "InternalError" "We encountered an internal error. Please try again.";
    /// Not permitted.
    ACCESS_DENIED = 403 "AccessDenied" "Access Denied";
    /// No such object.
    NO_SUCH_KEY = 404 "NoSuchKey" "The specified key does not exist.";
    /// No such bucket.
    NO_SUCH_BUCKET = 404 "NoSuchBucket" "The specified bucket does not exist";
    /// Unknown access key.
    INVALID_ACCESS_KEY_ID = 403 "InvalidAccessKeyId"
        "The AWS Access Key Id you provided does not exist in our records.";
    /// Wrong secret key.
    SIGNATURE_DOES_NOT_MATCH = 403 "SignatureDoesNotMatch"
        "The request signature we calculated does not match the signature you provided.";
    /// Credentials that are no longer valid.
    EXPIRED_TOKEN = 400 "ExpiredToken" "The provided token has expired.";
    /// The clocks of client and server differ.
    REQUEST_TIME_TOO_SKEWED = 403 "RequestTimeTooSkewed"
        "The difference between the request time and the current time is too large.";
    /// The bucket is elsewhere.
    PERMANENT_REDIRECT = 301 "PermanentRedirect"
        "The bucket you are attempting to access must be addressed using the specified endpoint.";
    /// Signed for another region.
    AUTHORIZATION_HEADER_MALFORMED = 400 "AuthorizationHeaderMalformed"
        "The authorization header is malformed; the region is wrong.";
    /// A request body that is not what it should be.
    MALFORMED_XML = 400 "MalformedXML" "The XML you provided was not well-formed.";
    /// A parameter that makes no sense.
    INVALID_ARGUMENT = 400 "InvalidArgument" "Invalid Argument";
    /// The checksum does not match the body.
    BAD_DIGEST = 400 "BadDigest" "The Content-MD5 or checksum value that you specified did not match.";
    /// No checksum where one is needed, as Amazon words it.
    MISSING_CHECKSUM = 400 "InvalidRequest"
        "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
    /// No Content-MD5 where only that will do.
    MISSING_CONTENT_MD5 = 400 "MissingContentMD5" "Missing required header for this request: Content-Md5.";
    /// The object is not the one that the condition names.
    PRECONDITION_FAILED = 412 "PreconditionFailed"
        "At least one of the preconditions you specified did not hold.";
    /// A request body beyond what the server takes.
    ENTITY_TOO_LARGE = 400 "EntityTooLarge" "Your proposed upload exceeds the maximum allowed size";
    /// A class that the server does not have.
    INVALID_STORAGE_CLASS = 400 "InvalidStorageClass" "The storage class you specified is not valid";
    /// An object that would have to be restored from an archive first.
    INVALID_OBJECT_STATE = 403 "InvalidObjectState"
        "The operation is not valid for the object's storage class";
    /// What the client has is what there is; sent without a body.
    NOT_MODIFIED = 304 "NotModified" "Not Modified";
    /// A range that lies outside the object.
    INVALID_RANGE = 416 "InvalidRange" "The requested range is not satisfiable";
    /// No such version of the object.
    NO_SUCH_VERSION = 404 "NoSuchVersion" "The specified version does not exist.";
    /// No such multipart upload.
    NO_SUCH_UPLOAD = 404 "NoSuchUpload"
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
    /// A part that was not uploaded, or is another.
    INVALID_PART = 400 "InvalidPart"
        "One or more of the specified parts could not be found, or the entity tag does not match.";
    /// Parts that do not ascend.
    INVALID_PART_ORDER = 400 "InvalidPartOrder" "The list of parts was not in ascending order.";
    /// A part, not the last, that is too small.
    ENTITY_TOO_SMALL = 400 "EntityTooSmall"
        "Your proposed upload is smaller than the minimum allowed size";
    /// A method that the server does not offer on this resource.
    METHOD_NOT_ALLOWED = 405 "MethodNotAllowed"
        "The specified method is not allowed against this resource.";
    /// A request that this server does not know.
    NOT_IMPLEMENTED = 501 "NotImplemented" "A header or query you provided implies functionality that is not implemented.";
}
