#include "training/jpeg.hpp"

#include "base/error.hpp"

#ifndef HACSCALE_JPEG

namespace hacscale {
namespace {

[[noreturn]] void fail_without_libjpeg(const std::string& name) {
    throw MissingError(name +
                       ": this program was built without libjpeg, so it cannot read JPEG images; install it "
                       "(Debian: libjpeg-dev, scripts/setup does so) and build again");
}

}  // namespace

ImageSize jpeg_size(std::span<const std::uint8_t>, const std::string& name) {
    fail_without_libjpeg(name);
}

ImageSize decode_jpeg(std::span<const std::uint8_t>, const std::string& name, std::vector<std::uint8_t>&) {
    fail_without_libjpeg(name);
}

}  // namespace hacscale

#else

#include <csetjmp>
// libjpeg's header needs FILE and size_t.
#include <cstdio>

#include <fmt/format.h>
#include <jerror.h>
#include <jpeglib.h>

#include <array>
#include <cstring>

namespace hacscale {
namespace {

constexpr std::int64_t max_pixels = 100'000'000;

// libjpeg reports through these functions. It is C, which exceptions must not pass: an error returns to where the reader
// was entered.
struct Report {
    jpeg_error_mgr functions;  // first, so that libjpeg's pointer to it is one to the report
    std::jmp_buf entered;
    std::array<char, JMSG_LENGTH_MAX> text;
};

void leave(j_common_ptr image) {
    auto* report = reinterpret_cast<Report*>(image->err);
    image->err->format_message(image, report->text.data());
    std::longjmp(report->entered, 1);
}

// Bytes before a marker that belong to nothing, and unknown versions of the file's frame, leave the picture whole. After
// all other warnings part of it is made up.
void judge_warning(j_common_ptr image, int level) {
    if (level >= 0) return;
    const int code = image->err->msg_code;
    if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM) return;
    leave(image);
}

void stay_silent(j_common_ptr) {}

std::uint8_t product(unsigned a, unsigned b) {
    return static_cast<std::uint8_t>((a * b + 127) / 255);
}

// The functions that libjpeg jumps back to have no objects with destructors, which the jump would pass over.
class Decoder {
public:
    // The other constructor has made the object when something fails here, so its destructor runs.
    Decoder(std::span<const std::uint8_t> bytes, const std::string& name) : Decoder(Source{bytes, name}) {
        if (bytes_.empty()) fail("the file is empty");
        if (bytes_.size() < 2 || bytes_[0] != 0xFF || bytes_[1] != 0xD8) {
            fail("expected a JPEG image, found another file; convert it, or take it out of the folder");
        }
        if (!create() || !read_header()) fail_with_text();
        if (std::int64_t{image_.image_height} * image_.image_width > max_pixels) {
            fail(fmt::format("expected at most {} pixels, found {} x {}", max_pixels, image_.image_width,
                             image_.image_height));
        }
    }
    ~Decoder() { jpeg_destroy_decompress(&image_); }
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    ImageSize size() const {
        return {static_cast<int>(image_.image_height), static_cast<int>(image_.image_width)};
    }

    void decode(std::vector<std::uint8_t>& out) {
        const bool four = image_.jpeg_color_space == JCS_CMYK || image_.jpeg_color_space == JCS_YCCK;
        const bool grey = image_.jpeg_color_space == JCS_GRAYSCALE;
        image_.out_color_space = four ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
        const std::size_t components = four ? 4 : grey ? 1 : 3;
        const std::size_t plane = static_cast<std::size_t>(size().height) * size().width;
        out.resize(3 * plane);
        line_.resize(components * static_cast<std::size_t>(size().width));
        if (!start()) fail_with_text();
        for (std::size_t begin = 0; begin < plane; begin += static_cast<std::size_t>(size().width)) {
            if (!read_line()) fail_with_text();
            if (four) {
                put_four(out.data() + begin, plane);
            } else {
                put(out.data() + begin, plane, components, grey);
            }
        }
        if (!finish()) fail_with_text();
    }

private:
    struct Source {
        std::span<const std::uint8_t> bytes;
        const std::string& name;
    };
    explicit Decoder(const Source& source) : bytes_(source.bytes), name_(source.name) {
        image_.err = jpeg_std_error(&report_.functions);
        report_.functions.error_exit = leave;
        report_.functions.emit_message = judge_warning;
        report_.functions.output_message = stay_silent;
        report_.text[0] = '\0';
    }

    [[noreturn]] void fail(const std::string& why) const {
        throw InputError(fmt::format("{}: {}", name_, why));
    }
    [[noreturn]] void fail_with_text() const {
        fail(
            fmt::format("the JPEG image is damaged or cut short ({}); replace it by a whole copy, or take it "
                        "out of the folder",
                        report_.text.data()));
    }

    bool create() {
        if (setjmp(report_.entered) != 0) return false;
        jpeg_create_decompress(&image_);
        return true;
    }
    bool read_header() {
        if (setjmp(report_.entered) != 0) return false;
        jpeg_mem_src(&image_, bytes_.data(), static_cast<unsigned long>(bytes_.size()));
        jpeg_read_header(&image_, TRUE);
        return true;
    }
    bool start() {
        if (setjmp(report_.entered) != 0) return false;
        // What the standard defines, and so the same in each build of libjpeg.
        image_.dct_method = JDCT_ISLOW;
        jpeg_start_decompress(&image_);
        return true;
    }
    bool read_line() {
        if (setjmp(report_.entered) != 0) return false;
        JSAMPROW row = line_.data();
        return jpeg_read_scanlines(&image_, &row, 1) == 1;
    }
    bool finish() {
        if (setjmp(report_.entered) != 0) return false;
        jpeg_finish_decompress(&image_);
        return true;
    }

    void put(std::uint8_t* out, std::size_t plane, std::size_t components, bool grey) const {
        for (std::size_t channel = 0; channel < 3; ++channel) {
            const std::uint8_t* from = line_.data() + (grey ? 0 : channel);
            std::uint8_t* to = out + channel * plane;
            for (int x = 0; x < size().width; ++x, from += components) *to++ = *from;
        }
    }
    // Adobe's programs, which make most of these files, store the inks inverted.
    void put_four(std::uint8_t* out, std::size_t plane) const {
        const unsigned flip = image_.saw_Adobe_marker ? 0U : 255U;
        const std::uint8_t* from = line_.data();
        for (int x = 0; x < size().width; ++x, from += 4) {
            for (std::size_t channel = 0; channel < 3; ++channel) {
                out[channel * plane + static_cast<std::size_t>(x)] =
                    product(from[channel] ^ flip, from[3] ^ flip);
            }
        }
    }

    std::span<const std::uint8_t> bytes_;
    const std::string& name_;
    jpeg_decompress_struct image_{};
    Report report_{};
    std::vector<std::uint8_t> line_;
};

}  // namespace

ImageSize jpeg_size(std::span<const std::uint8_t> bytes, const std::string& name) {
    return Decoder(bytes, name).size();
}

ImageSize decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name,
                      std::vector<std::uint8_t>& out) {
    Decoder decoder(bytes, name);
    decoder.decode(out);
    return decoder.size();
}

}  // namespace hacscale

#endif
