# frozen_string_literal: true

require "fileutils"
require "rbconfig"
require "tmpdir"

# A getaddrinfo for LD_PRELOAD that hangs for a minute, as it does when the name servers don't
# answer. It writes a byte to the descriptor in HANGING_RESOLVER_FD when it was entered. What is an address
# already, for which nobody is asked, it leaves to the real one.
module HangingResolver
  SOURCE = <<~C
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <netdb.h>
    #include <stdlib.h>
    #include <unistd.h>

    int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
    {
        if (hints && hints->ai_flags & AI_NUMERICHOST) {
            int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
            *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
            return real(node, service, hints, found);
        }
        if (write(atoi(getenv("HANGING_RESOLVER_FD")), "!", 1) == 1)
            sleep(60);
        return EAI_AGAIN;
    }
  C

  class << self
    # @return [String] LD_PRELOAD for a child: what this process has preloaded (a sanitizer's runtime
    #   must stay the first), and the library, which is compiled once and removed at the end. valgrind takes
    #   its own out of that, up to the next colon
    def preload
      @library ||= compile
      [ENV["LD_PRELOAD"], @library].compact.join(":")
    end

    private

    def compile
      directory = Dir.mktmpdir("pgconn-resolver-")
      at_exit { FileUtils.rm_rf(directory) }
      source, library = %w[resolver.c resolver.so].map { |name| File.join(directory, name) }
      File.write(source, SOURCE)
      compiler = RbConfig::CONFIG["CC"].split
      system(*compiler, "-shared", "-fPIC", "-o", library, source, "-ldl", exception: true)
      library
    end
  end
end
