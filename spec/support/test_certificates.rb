# frozen_string_literal: true

require "openssl"

# A certificate authority and a server certificate that live as long as one PostgresServer.
module TestCertificates
  LIFETIME = 24 * 60 * 60

  module_function

  # Writes root.crt, server.crt and server.key.
  #
  # @param host [String] the address that the certificate is for, beside the name localhost
  # @return [Hash] the server's files, :certificate and :key
  def write(directory, host:)
    root_key = OpenSSL::PKey::EC.generate("prime256v1")
    root = sign(build("pgconn test CA", root_key, "basicConstraints" => "critical,CA:TRUE"), nil, root_key)
    key = OpenSSL::PKey::EC.generate("prime256v1")
    server = sign(build("localhost", key, "subjectAltName" => "DNS:localhost,IP:#{host}"), root, root_key)

    save(directory, "root.crt", root.to_pem, 0o644)
    { certificate: save(directory, "server.crt", server.to_pem, 0o644),
      key: save(directory, "server.key", key.to_pem, 0o600) }
  end

  def build(common_name, key, extensions)
    certificate = OpenSSL::X509::Certificate.new
    certificate.version = 2
    certificate.serial = OpenSSL::BN.rand(64)
    certificate.subject = OpenSSL::X509::Name.new([["CN", common_name]])
    certificate.public_key = key
    certificate.not_before = Time.now - 60
    certificate.not_after = Time.now + LIFETIME
    factory = OpenSSL::X509::ExtensionFactory.new
    extensions.each { |name, value| certificate.add_extension(factory.create_extension(name, value)) }
    certificate
  end

  # Without an issuer the certificate signs itself.
  def sign(certificate, issuer, key)
    certificate.issuer = (issuer || certificate).subject
    certificate.sign(key, "SHA256")
  end

  def save(directory, name, content, mode)
    path = File.join(directory, name)
    File.write(path, content, perm: mode)
    path
  end
end
