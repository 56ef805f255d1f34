# frozen_string_literal: true

require "cgi/escape"

# What valgrind found that has to do with pgconn, out of its XML. Ruby frees the heap at its end but
# not what objects have allocated, so that each of them is a leak to valgrind: only what pgconn
# itself, or libpq for it, has allocated counts.
class ValgrindReport
  EXTENSION = %r{/pgconn_ext\.[^/]+\z}
  RUBY = %r{/libruby[^/]*\z|/bin/ruby[^/]*\z}
  RUBY_ALLOCATORS = /\Aruby_(x\w*alloc|strdup|mimmalloc)|\Arb_(x\w*alloc|alloc_tmp_buffer)/

  Frame = Struct.new(:object, :function, :file, :line) do
    def to_s
      place = file.empty? ? File.basename(object) : "#{file}:#{line}"
      "#{function.empty? ? "?" : function} (#{place})"
    end
  end

  Problem = Struct.new(:kind, :text, :address, :frames) do
    def leak? = kind.start_with?("Leak_")

    # A leak belongs to the function that asked for the memory. Other errors, but those that the
    # garbage collector always makes, are few, and the compiler may have left the guilty function out
    # of the stack: all of them count.
    def ours?
      leak? ? asking&.object&.match?(EXTENSION) : !stack_scan?
    end

    def to_s
      last = frames.rindex { |frame| frame.object.match?(EXTENSION) } || 15
      [text, *frames[0..last].map { |frame| "    #{frame}" }].join("\n")
    end

    private

    # Ruby looks for references somewhat beyond the end of the stack, and the stack of a Fiber, which Ruby
    # maps, is none that valgrind knows.
    def stack_scan?
      address.end_with?("'s stack", "anonymous segment") && within_ruby?
    end

    def within_ruby?
      frames.drop_while { |frame| frame.object.include?("/vgpreload_") }.first.object.match?(RUBY)
    end

    # Beyond valgrind's, the C library's and libpq's functions, and Ruby's allocators. libruby keeps the
    # name of the innermost to itself.
    def asking
      rest = frames.drop_while { |frame| !frame.object.match?(RUBY) && !frame.object.match?(EXTENSION) }
      rest = rest.drop(1) if rest.first&.function&.empty?
      rest.find { |frame| !frame.function.match?(RUBY_ALLOCATORS) }
    end
  end

  def initialize(path)
    @path = path
  end

  def problems
    all = File.foreach(@path, "</error>\n").filter_map { |text| problem(text) if text.include?("<error>") }
    all.select(&:ours?)
  end

  private

  # The first stack is the one where it happened.
  def problem(text)
    stack = text[%r{<stack>(.*?)</stack>}m, 1].scan(%r{<frame>(.*?)</frame>}m).map(&:first)
    Problem.new(field(text, "kind"), field(text, "what") + field(text, "text"), field(text, "auxwhat"),
                stack.map { |frame| Frame.new(*%w[obj fn file line].map { |name| field(frame, name) }) })
  end

  def field(text, name)
    CGI.unescapeHTML(text[%r{<#{name}>(.*?)</#{name}>}m, 1].to_s)
  end
end

namespace :spec do
  desc "Run the specs (or those of SPEC) under valgrind; fail for errors and leaks of pgconn's code"
  task valgrind: :compile do
    rm_f Dir["tmp/valgrind.*.xml"], verbose: false
    mkdir_p "tmp", verbose: false
    # The stacks of Fibers lie side by side: a switch to the next one mustn't be taken for a deep call,
    # which would make all of that stack look uninitialized. No function here has a frame so large.
    # There are examples with a thousand threads.
    options = %w[--leak-check=full --show-leak-kinds=definite --num-callers=50 --error-limit=no
                 --max-stackframe=100000 --max-threads=2000 --fair-sched=yes
                 --child-silent-after-fork=yes
                 --suppressions=spec/support/ruby.supp --xml=yes --xml-file=tmp/valgrind.%p.xml]
    passed = system({ "PGCONN_VALGRIND" => "1" }, "valgrind", *options, RbConfig.ruby, "-rbundler/setup",
                    Gem.bin_path("rspec-core", "rspec"), *ENV["SPEC"].to_s.split)
    problems = Dir["tmp/valgrind.*.xml"].flat_map { |path| ValgrindReport.new(path).problems }
    puts problems, "valgrind: #{problems.size} errors and leaks of pgconn's code"
    abort unless passed && problems.empty?
  end
end
