// oneDNN's interface of version 3, on versions 2.6 to 3: namespace onednn has the classes whose interface
// changed, in the form of version 3, and this folder's sources take these classes from here. This is the only
// file that knows version 2, in which a primitive's description is an object of its own and has the scales of
// integers, activations have a scale, pooling with dilation is a second version of pooling, and next_impl()
// leaves copies alone.
#pragma once

#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <utility>
#include <vector>

namespace hacscale::cpu::onednn {

// ---- Integers: the sums of an output channel's products are multiplied by one factor ----

#if DNNL_VERSION_MAJOR >= 3

// The factors are an argument of the primitive; a bias counts after them.
constexpr int factors_argument = DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS;
constexpr bool bias_before_factors = false;

inline void set_factors(dnnl::primitive_attr& attributes, const std::vector<float>&, bool grouped) {
    attributes.set_scales_mask(DNNL_ARG_WEIGHTS, grouped ? 3 : 1);
}

#else

// The factors are part of the primitive; a bias is added to the sums before.
constexpr int factors_argument = 0;
constexpr bool bias_before_factors = true;

inline void set_factors(dnnl::primitive_attr& attributes, const std::vector<float>& factors, bool) {
    constexpr int each_channel = 1 << 1;
    attributes.set_output_scales(each_channel, factors);
}

#endif

// Whether the processor has all that an instruction set contains, within ONEDNN_MAX_CPU_ISA. The values are
// masks: larger instruction sets have the bits of smaller ones.
inline bool processor_has(dnnl::cpu_isa isa) {
    const auto bits = static_cast<unsigned>(isa);
    return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & bits) == bits;
}

// Whether pairs of products of 8-bit integers are added in 32 bits (VNNI). Else they are in 16 bits, where the sum of two large
// ones is cut.
inline bool has_wide_sums() {
    return processor_has(dnnl::cpu_isa::avx512_core_vnni) || processor_has(dnnl::cpu_isa::avx2_vnni);
}

// What a matrix product is made with; false where the library has no kernel.
using MatmulPlan = dnnl::matmul::primitive_desc;

inline MatmulPlan matmul_plan(const dnnl::engine& engine, const dnnl::memory::desc& source,
                              const dnnl::memory::desc& weights, const dnnl::memory::desc& destination,
                              const dnnl::primitive_attr& attributes) {
    constexpr bool allow_empty = true;
#if DNNL_VERSION_MAJOR >= 3
    return {engine, source, weights, destination, attributes, allow_empty};
#else
    return {dnnl::matmul::desc(source, weights, destination), attributes, engine, allow_empty};
#endif
}

#if DNNL_VERSION_MAJOR >= 3

using dnnl::convolution_forward;
using dnnl::deconvolution_forward;
using dnnl::inner_product_forward;
using dnnl::pooling_forward;
using dnnl::post_ops;

// A copy that stays at its kernel when next_impl() moves the original on: in version 3 plain copies share one
// description, and all of them would end at the last kernel, which is the reference.
template <typename PrimitiveDesc>
PrimitiveDesc fixed(const PrimitiveDesc& plan) {
    dnnl_primitive_desc_t copy = nullptr;
    dnnl::error::wrap_c_api(dnnl_primitive_desc_clone(&copy, plan.get()),
                            "copying a primitive's description failed");
    return PrimitiveDesc(copy);
}

#else

// In version 2 next_impl() replaces what the original refers to, and leaves copies as they are.
template <typename PrimitiveDesc>
PrimitiveDesc fixed(const PrimitiveDesc& plan) {
    return plan;
}

// NOLINTBEGIN(readability-identifier-naming): the library's names
struct post_ops : dnnl::post_ops {
    void append_eltwise(dnnl::algorithm algorithm, float alpha, float beta) {
        dnnl::post_ops::append_eltwise(1.0F, algorithm, alpha, beta);
    }
};

// Holds a primitive's description for its primitive_desc, whose next_impl() reads the description again.
template <typename Primitive>
struct Description {
    std::shared_ptr<const typename Primitive::desc> description;
};

// A primitive_desc made from its description's arguments in one step.
template <typename Primitive>
struct DescribedPrimitive : private Description<Primitive>, public Primitive::primitive_desc {
    DescribedPrimitive() = default;
    DescribedPrimitive(const dnnl::engine& engine, typename Primitive::desc described,
                       const dnnl::primitive_attr& attributes, bool allow_empty)
        : Description<Primitive>{std::make_shared<const typename Primitive::desc>(std::move(described))},
          Primitive::primitive_desc(*this->description, attributes, engine, allow_empty) {}
};

// Of convolutions and deconvolutions, which take the same.
template <typename Primitive>
struct Convolution : Primitive {
    using Primitive::Primitive;
    struct primitive_desc : DescribedPrimitive<Primitive> {
        primitive_desc() = default;
        primitive_desc(const dnnl::engine& engine, dnnl::prop_kind kind, dnnl::algorithm algorithm,
                       const dnnl::memory::desc& source, const dnnl::memory::desc& weights,
                       const dnnl::memory::desc& bias, const dnnl::memory::desc& destination,
                       const dnnl::memory::dims& strides, const dnnl::memory::dims& dilations,
                       const dnnl::memory::dims& padding, const dnnl::memory::dims& far_padding,
                       const dnnl::primitive_attr& attributes, bool allow_empty)
            : DescribedPrimitive<Primitive>(engine,
                                            {kind, algorithm, source, weights, bias, destination, strides,
                                             dilations, padding, far_padding},
                                            attributes, allow_empty) {}
    };
};
using convolution_forward = Convolution<dnnl::convolution_forward>;
using deconvolution_forward = Convolution<dnnl::deconvolution_forward>;

struct inner_product_forward : dnnl::inner_product_forward {
    using dnnl::inner_product_forward::inner_product_forward;
    struct primitive_desc : DescribedPrimitive<dnnl::inner_product_forward> {
        primitive_desc() = default;
        primitive_desc(const dnnl::engine& engine, dnnl::prop_kind kind, const dnnl::memory::desc& source,
                       const dnnl::memory::desc& weights, const dnnl::memory::desc& bias,
                       const dnnl::memory::desc& destination, const dnnl::primitive_attr& attributes,
                       bool allow_empty)
            : DescribedPrimitive(engine, {kind, source, weights, bias, destination}, attributes,
                                 allow_empty) {}
    };
};

struct pooling_forward : dnnl::pooling_v2_forward {
    using dnnl::pooling_v2_forward::pooling_v2_forward;
    struct primitive_desc : DescribedPrimitive<dnnl::pooling_v2_forward> {
        primitive_desc() = default;
        primitive_desc(const dnnl::engine& engine, dnnl::prop_kind kind, dnnl::algorithm algorithm,
                       const dnnl::memory::desc& source, const dnnl::memory::desc& destination,
                       const dnnl::memory::dims& strides, const dnnl::memory::dims& kernel,
                       const dnnl::memory::dims& dilation, const dnnl::memory::dims& padding,
                       const dnnl::memory::dims& far_padding, const dnnl::primitive_attr& attributes,
                       bool allow_empty)
            : DescribedPrimitive(
                  engine,
                  {kind, algorithm, source, destination, strides, kernel, dilation, padding, far_padding},
                  attributes, allow_empty) {}
    };
};

// NOLINTEND(readability-identifier-naming)

#endif

}  // namespace hacscale::cpu::onednn
