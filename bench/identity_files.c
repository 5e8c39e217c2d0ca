/*
 * Writes certificates for programs that read files: chain.pem (leaf and intermediate), key.pem and
 * root.pem into the folder that its argument names.
 */
#include "harness.h"

#include <openssl/pem.h>
#include <stdio.h>

static FILE *create(const char *folder, const char *name)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    require(file != NULL, path);
    return file;
}

int main(int argc, char **argv)
{
    struct identity id;

    require(argc == 2, "argument: a folder");
    bench_begin(false);
    identity_make(&id, KEY_P256);
    FILE *file = create(argv[1], "chain.pem");
    require(PEM_write_X509(file, id.leaf) == 1 && PEM_write_X509(file, id.intermediate) == 1 &&
                fclose(file) == 0,
            "chain.pem");
    file = create(argv[1], "key.pem");
    require(PEM_write_PKCS8PrivateKey(file, id.key, NULL, NULL, 0, NULL, NULL) == 1 &&
                fclose(file) == 0,
            "key.pem");
    file = create(argv[1], "root.pem");
    require(PEM_write_X509(file, id.root) == 1 && fclose(file) == 0, "root.pem");
    identity_wipe(&id);
    return 0;
}
