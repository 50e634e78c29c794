#pragma once
// libcrypto, loaded when the first digest is asked for: linking it costs every start of the command 0.7 ms. The headers
// give the types, `struct crypto_functions` the addresses.
#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stddef.h>

#define CRYPTO_FUNCTIONS(EACH) EACH(EVP_Digest) EACH(EVP_sha1) EACH(EVP_sha512) EACH(HMAC)

struct crypto_functions {
#define EACH(name) __typeof__(name) *_Nonnull name;
  CRYPTO_FUNCTIONS(EACH)
#undef EACH
};

/// Fills the table. NULL on success, else what the dynamic linker says, in storage of its own.
static inline const char *_Nullable crypto_functions_load(struct crypto_functions *_Nonnull table) {
  void *library = dlopen("libcrypto.so.3", RTLD_LAZY | RTLD_LOCAL);
  if (!library) return dlerror();
#define EACH(name)                                    \
  {                                                   \
    void *address = dlsym(library, #name);            \
    if (!address) return dlerror();                   \
    table->name = (__typeof__(name) *)address;        \
  }
  CRYPTO_FUNCTIONS(EACH)
#undef EACH
  return NULL;
}

/// 64 bytes into `out`. 1 on success.
static inline int crypto_sha512(
    const struct crypto_functions *_Nonnull crypto, const unsigned char *_Nullable bytes, size_t count,
    unsigned char *_Nonnull out) {
  return crypto->EVP_Digest(bytes, count, out, NULL, crypto->EVP_sha512(), NULL);
}

/// 20 bytes into `out`. 1 on success.
static inline int crypto_hmac_sha1(
    const struct crypto_functions *_Nonnull crypto, const unsigned char *_Nullable key, int key_count,
    const unsigned char *_Nullable bytes, size_t count, unsigned char *_Nonnull out) {
  unsigned int length = 0;
  const unsigned char empty = 0;
  void *made = crypto->HMAC(
      crypto->EVP_sha1(), key ? key : &empty, key_count, bytes ? bytes : &empty, count, out, &length);
  return made != NULL && length == 20;
}
