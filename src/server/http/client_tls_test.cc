#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <thread>

#include "foundation/base/testing.h"
#include "foundation/io/wait.h"
#include "server/http/client.h"
#include "server/http/test_peer.h"

namespace bascule::http {
namespace {

using testing::HasSubstr;

template <auto release>
struct Release {
    template <class T>
    void operator()(T* owned) const {
        release(owned);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Release<SSL_free>>;

/// A certificate for `host` that its own key has signed, good for an hour.
Certificate self_signed(EVP_PKEY* key, const std::string& host) {
    Certificate made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    X509_set_pubkey(made.get(), key);
    X509_NAME* subject = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(host.c_str()), -1, -1, 0);
    X509_set_issuer_name(made.get(), subject);
    const std::string names = "DNS:" + host;
    X509_EXTENSION* extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    X509_add_ext(made.get(), extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(made.get(), key, EVP_sha256());
    return made;
}

/// Serves "secret" over TLS to one peer, whether or not that likes the certificate.
class TlsServer {
  public:
    explicit TlsServer(const std::string& host)
        : key_(EVP_RSA_gen(2048)), certificate_(self_signed(key_.get(), host)) {
        thread_ = std::thread([this] { serve(); });
    }
    ~TlsServer() {
        listener_.stop();  // a client that never came must not be waited for
        thread_.join();
    }

    std::string url() const {
        return "https://" + name_of_this_machine + ":" + std::to_string(listener_.port()) + "/";
    }

    std::string write_certificate() const {
        std::string path = testing::TempDir() + "bascule-tls-XXXXXX";
        const int fd = ::mkstemp(path.data());
        FILE* file = ::fdopen(fd, "w");
        PEM_write_X509(file, certificate_.get());
        std::fclose(file);
        return path;
    }

  private:
    void serve() {
        const Context context(SSL_CTX_new(TLS_server_method()));
        SSL_CTX_use_certificate(context.get(), certificate_.get());
        SSL_CTX_use_PrivateKey(context.get(), key_.get());
        TestPeer peer = listener_.accept();
        if (!peer.connected()) {
            return;
        }
        const Session session(SSL_new(context.get()));
        SSL_set_fd(session.get(), peer.descriptor());
        char request[4096];
        if (SSL_accept(session.get()) == 1 &&
            SSL_read(session.get(), request, sizeof request) > 0) {
            const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";
            SSL_write(session.get(), answer.data(), static_cast<int>(answer.size()));
            SSL_shutdown(session.get());
        }
    }

    TestListener listener_;
    Key key_;
    Certificate certificate_;
    std::thread thread_;
};

Result<Response> get(const Client::Options& options, const std::string& url) {
    const auto client = std::move(Client::create(options).value());
    return io::wait_for<Response>([&](auto done) { client->send({.url = url}, std::move(done)); });
}

TEST(ClientTlsTest, ATrustedCertificateOfTheRightNameIsAccepted) {
    const TlsServer server(name_of_this_machine);
    const std::string file = server.write_certificate();
    const auto response = get({.certificate_file = file}, server.url());
    ASSERT_THAT(response, Succeeds());
    EXPECT_EQ(response->body, "secret");
    ::unlink(file.c_str());
}

TEST(ClientTlsTest, AnUntrustedCertificateIsRefused) {
    const TlsServer server(name_of_this_machine);
    EXPECT_THAT(get({}, server.url()),
                FailsWith(ErrorKind::unavailable, HasSubstr("TLS handshake")));
}

TEST(ClientTlsTest, ATrustedCertificateOfAnotherNameIsRefused) {
    const TlsServer server("bank.example");
    const std::string file = server.write_certificate();
    EXPECT_THAT(get({.certificate_file = file}, server.url()),
                FailsWith(ErrorKind::unavailable, HasSubstr("TLS handshake")));
    ::unlink(file.c_str());
}

}  // namespace
}  // namespace bascule::http
